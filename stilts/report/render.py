"""Builds the tables a spec asks for and writes them in the formats wanted."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from hpc.files import write_atomic
from stilts.report import html, latex, lint, markdown, plain
from stilts.report.compare import items_of
from stilts.report.evidence import Evidence
from stilts.report.figures import Figure
from stilts.report.form import Table, printable
from stilts.report.spec import Spec
from stilts.run import records

Built = Table | Figure

FORMATS: Mapping[str, tuple[str, Callable[[Table], str]]] = {
    "latex": ("tex", latex.write),
    "md": ("md", markdown.write),
    "html": ("html", html.write),
    "csv": ("csv", plain.write_csv),
    "json": ("json", plain.write_json),
}


def build_all(specs: Sequence[Spec], evidence: Evidence) -> dict[str, list[Built]]:
    """The tables or figures of several specs by id; predictions are read while others are made."""
    later = [spec for spec in specs if "predictions" in (*spec.inputs, *spec.optional)]
    for split in dict.fromkeys(spec.split for spec in later):
        items_of(evidence, split)
    built = {spec.id: build(spec, evidence) for spec in sorted(specs, key=lambda spec: spec in later)}
    return {spec.id: built[spec.id] for spec in specs}


def build(spec: Spec, evidence: Evidence) -> list[Built]:
    """The tables or figures of a spec."""
    builder = importlib.import_module(f"stilts.report.builders.{spec.builder}")
    built: list[Built] = builder.build(spec, evidence)
    return [
        replace(one, table=_finished(one.table)) if isinstance(one, Figure) else _finished(one)
        for one in built
    ]


def _finished(table: Table) -> Table:
    """With a footnote on what is missing and why, and nothing that would steer what shows it."""
    reasons = dict.fromkeys(cell.note or "not measured yet" for _, cell in table.cells() if cell.missing)
    note = (("--", f"{'; '.join(reasons)}."),) if reasons else ()
    return printable(replace(table, footnotes=(*table.footnotes, *note)))


def missing_inputs(spec: Spec, evidence: Evidence) -> list[str]:
    """Kinds of record a spec cannot do without and of which there is no shard yet."""
    return [kind for kind in spec.inputs if not any(map(records.shards_of, evidence.folders(kind)))]


def table_of(built: Built) -> Table:
    """The numbers of a figure, or the table itself."""
    return built.table if isinstance(built, Figure) else built


def write(built: Built, folder: Path, formats: Sequence[str]) -> list[Path]:
    """Writes a table in every format, and a figure as PDF and PNG besides.

    Raises:
        AssertionError: the LaTeX written would not compile.
    """
    from stilts.report import figures

    table = table_of(built)
    written = figures.save(built, folder) if isinstance(built, Figure) and figures.can_draw() else []
    drawn = bool(written)
    for name in formats:
        suffix, writer = FORMATS[name]
        path, text = folder / f"{table.id}.{suffix}", writer(table)
        if drawn and name == "latex":
            text = latex.write_figure(table)
        elif drawn and name == "md":
            text = f"![{table.question}]({table.id}.png)\n\n{text}"
        if name == "latex":
            complaints = lint.lint(text)
            assert not complaints, f"{path}: {complaints}"
        write_atomic(path, text)
        written.append(path)
    return written


def write_macros(folder: Path) -> Path:
    """Writes what LaTeX needs once in the preamble."""
    path = folder / "stilts.tex"
    write_atomic(path, latex.MACROS)
    return path
