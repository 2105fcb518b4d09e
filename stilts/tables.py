"""Paper-ready tables and figures from whatever a study has measured so far: `python -m stilts.tables`."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hpc.command import Parser, comma_list, command, printable
from hpc.errors import UserError, refuse_unknown, unknown_name
from hpc.files import is_there, listing
from stilts.launching.optional import resolve_optional
from stilts.report.spec import Spec, load_spec, table_names
from stilts.study.loading import load_study

if TYPE_CHECKING:
    from stilts.report.evidence import Evidence
    from stilts.report.render import Built

FORMATS = ("latex", "md", "html", "csv", "json")


def parser() -> Parser:
    """The command line."""
    made = Parser(
        "stilts.tables",
        "Tables and figures from the records in the runs folder; missing numbers print as --.",
        epilog="exit codes: 0 written, 1 --strict or --check-pdf found something, 2 wrong request,\n"
        "3 nothing measured yet",
    )
    made.add_argument("--study", metavar="NAME", default="mini", help="name, or path of a TOML file (mini)")
    made.add_argument(
        "--runs", metavar="FOLDER", type=Path, default=Path("runs"), help="where runs lie (runs)"
    )
    names = ", ".join(table_names())
    made.add_argument(
        "--tables", type=comma_list, metavar="LIST", help=f"of {names}, or TOML paths (the standard ones)"
    )
    made.add_argument("--all", action="store_true", help="every table there is")
    formats = f"of {', '.join(FORMATS)} (all)"
    made.add_argument("--formats", type=comma_list, metavar="LIST", default=list(FORMATS), help=formats)
    made.add_argument("--output", type=Path, metavar="FOLDER", help="(tables/rendered/STUDY)")
    made.add_argument(
        "--strict", action="store_true", help="fail on missing cells and on numbers unfit to be published"
    )
    made.add_argument(
        "--explain", metavar="CELL", help="print where a cell comes from, e.g. scores/multi/xnli, and stop"
    )
    made.add_argument(
        "--report",
        action="store_true",
        help="also one page with everything, and a paper: report.html, paper.tex",
    )
    made.add_argument("--check-pdf", action="store_true", help="compile the LaTeX, where there is a pdflatex")
    return made


@command
def main(arguments: list[str]) -> int:
    """The command line; see `--help`."""
    return work(parser().parse_args(arguments))


def work(asked: argparse.Namespace) -> int:
    """Does what was asked.

    Raises:
        UserError: a wrong name, or nothing to make tables of.
    """
    refuse_unknown("format", asked.formats, FORMATS)
    specs = [load_spec(name) for name in (asked.tables or table_names())]
    if not asked.tables and not asked.all:
        specs = [spec for spec in specs if spec.standard]
    study = load_study(asked.study)
    folder = asked.runs / study.name
    study, _ = resolve_optional(study, folder)
    if not listing(folder) and any(spec.inputs for spec in specs):
        raise _nothing(folder, asked)

    from stilts.report.evidence import Evidence

    evidence = Evidence(study, folder)
    if asked.explain:
        return _explain(asked.explain, evidence)
    return _render(asked, specs, asked.formats, evidence)


def _render(
    asked: argparse.Namespace, specs: Sequence[Spec], formats: Sequence[str], evidence: "Evidence"
) -> int:
    from stilts.report import figures, render, text

    out = asked.output or Path("tables") / "rendered" / evidence.study.name
    ready, complaints = [], []
    for spec in specs:
        lacking = render.missing_inputs(spec, evidence)
        if lacking:
            complaints.append(f"{spec.id}: no {' and no '.join(lacking)} records yet")
        else:
            ready.append(spec)
    if not ready:
        for complaint in _damaged(evidence.damaged):
            print(f"note: {complaint}", file=sys.stderr)
        raise _nothing(evidence.folder, asked)
    built = render.build_all(ready, evidence)
    made = [one for group in built.values() for one in group]
    files = [path for one in made for path in render.write(one, out, formats)]
    if "latex" in formats:
        files.append(render.write_macros(out))
    for spec in ready:
        if spec.main:
            text.show(render.table_of(built[spec.id][0]))
    if not figures.can_draw() and any(isinstance(one, figures.Figure) for one in made):
        complaints.append("figures skipped: matplotlib is not installed (pip install matplotlib)")
    complaints += _unfit(made)
    complaints += _damaged(evidence.damaged)
    print(f"\n{len(files)} files in {out}/: {', '.join(sorted({render.table_of(one).id for one in made}))}")
    for complaint in complaints:
        print(f"note: {complaint}", file=sys.stderr)
    if asked.report:
        _report(out, made, evidence)
    if asked.check_pdf:
        _check_pdf(out, made, formats)
    return 1 if asked.strict and complaints else 0


def _damaged(found: Mapping[str, str]) -> list[str]:
    """A line for each kind of damage."""
    kinds: dict[str, list[str]] = {}
    for run, reason in found.items():
        kinds.setdefault(reason.replace(run, ""), []).append(run)
    return [
        f"DAMAGED: nothing of {runs[0]}{f' and {len(runs) - 1} more' * (len(runs) > 1)} is shown: "
        f"{found[runs[0]]}"
        for runs in kinds.values()
    ]


def _report(out: Path, made: "Sequence[Built]", evidence: "Evidence") -> None:
    from hpc.files import write_atomic
    from stilts.report import answer, figures, page, paper, pdf, render

    made = page.ordered(made)
    cells = {address: cell for one in made for address, cell in render.table_of(one).cells()}
    parts = answer.answer(cells, caveat=evidence.study.caveat)
    write_atomic(out / "report.html", page.write(evidence, parts, made, out))
    drawn = [render.table_of(one).id for one in made if isinstance(one, figures.Figure)]
    drawn = [name for name in drawn if is_there(out / f"{name}.pdf")]
    text = paper.write(evidence.study.summary, parts, made, drawn)
    write_atomic(out / "paper.tex", text)
    written = [out / "report.html", out / "paper.tex"]
    if pdf.can_compile():
        written += pdf.compiled(text, out, "paper", [out / f"{name}.pdf" for name in drawn])
    print(f"report: {', '.join(map(str, written))}")
    for part in parts:
        print(f"\n{part.title}")
        for sentence in part.sentences:
            print(f"  {printable(sentence.text, most=400)}")


def _unfit(made: "Sequence[Built]") -> list[str]:
    """What keeps the tables from being published: cells without a number, and their warnings."""
    from stilts.report import render

    tables = [render.table_of(one) for one in made]
    missing = {table.id: [name for name, cell in table.cells() if cell.missing] for table in tables}
    counted = [f"{len(names)} in {table}" for table, names in missing.items() if names]
    found = [f"no number yet for {', '.join(counted)}; first {_first(missing)}"] if counted else []
    warned: dict[str, list[str]] = {}
    for table in tables:
        for warning in table.warnings:
            warned.setdefault(warning, []).append(table.id)
    return found + [f"{warning} In {', '.join(names)}" for warning, names in warned.items()]


def _first(missing: dict[str, list[str]]) -> str:
    return next(name for names in missing.values() for name in names)


def _check_pdf(out: Path, made: "Sequence[Built]", formats: Sequence[str]) -> None:
    from stilts.report import pdf, render

    if not pdf.can_compile():
        print("SKIPPED --check-pdf: no pdflatex on this machine (Debian: texlive-latex-recommended lmodern)")
        return
    if "latex" not in formats:
        raise UserError("--check-pdf needs latex among --formats")
    tables = [render.table_of(one).id for one in made]
    print(f"compiled: {', '.join(map(str, pdf.check(out, tables)))}")


def _explain(address: str, evidence: "Evidence") -> int:
    from stilts.report import render, trace
    from stilts.report.form import clean

    name = address.partition("/")[0]
    known = table_names()
    spec_name = next((known_name for known_name in known if name == known_name), name.partition("-")[0])
    if spec_name not in known:
        raise unknown_name("table", name, known)
    spec = load_spec(spec_name)
    tables = [render.table_of(one) for one in render.build(spec, evidence)]
    cells = {address: cell for table in tables for address, cell in table.cells()}
    if address not in cells:
        raise unknown_name("cell", address, cells)
    print("\n".join(map(clean, trace.lines_of(cells[address], address, spec, evidence))))
    for line in _damaged(evidence.damaged):
        print(f"note: {printable(line)}", file=sys.stderr)
    return 0


def _nothing(folder: Path, asked: argparse.Namespace) -> UserError:
    study = "" if asked.study == "mini" else f" --study {asked.study}"
    runs = "" if asked.runs == Path("runs") else f" --runs {asked.runs}"
    return UserError(
        f"nothing measured yet in {folder}; first run: python -m stilts.launch --grid all{study}{runs}",
        code=3,
    )


if __name__ == "__main__":
    sys.exit(main())
