"""The whole report of a study on one page that needs nothing else: answer, tables, figures, runs."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from hpc.files import is_there
from stilts.report import html, origins
from stilts.report.answer import Part
from stilts.report.builders.training import device_seconds
from stilts.report.evidence import Evidence
from stilts.report.figures import Figure
from stilts.report.form import Block, Cell, Header, Row, Table, clean, printable
from stilts.report.numbers import significant
from stilts.run.folder import RunFolder

_FIRST = (
    "scores", "heatmap", "pareto", "equivalence", "latency", "deploy", "breakeven", "training", "claims",
    "combined", "literature", "languages", "tokentax", "kernels", "sanity", "diagnostics", "repro",
)  # fmt: skip
_SOURCES = "Where a number comes from: stilts tables --explain ADDRESS, as in {address}"


def write(evidence: Evidence, parts: Sequence[Part], built: Sequence[Table | Figure], folder: Path) -> str:
    """The page.

    Args:
        evidence: of the study.
        parts: the answer.
        built: tables and figures, in the order of the page.
        folder: where the figures' PNGs lie; one that is not there shows its numbers only.
    """
    tables = {_of(one).id: one for one in built}
    runs = run_table(evidence)
    contents = [("answer", "The answer"), *((name, _of(one).question) for name, one in tables.items())]
    body = [
        f"<h1>{escape(clean(evidence.study.summary))}</h1>",
        f'<p class="note">Study {escape(clean(evidence.study.name))}. {_setting(evidence)}</p>',
        "<details><summary>Contents</summary><nav aria-label='Contents'><ul>",
        *(
            f'<li><a href="#{escape(name)}">{escape(title)}</a></li>'
            for name, title in (*contents, ("runs", runs.question))
        ),
        "</ul></nav></details>",
        '<section id="answer"><h2>The answer</h2>',
        *(_part(part, tables) for part in parts),
        "</section>",
        *(_shown(one, folder) for one in tables.values()),
        html.fragment(runs),
    ]
    return html.page(evidence.study.summary, "\n".join(body))


def ordered(built: Sequence[Table | Figure]) -> list[Table | Figure]:
    """What answers the question first, what is behind it after that."""

    def place(one: Table | Figure) -> int:
        first = [n for n, start in enumerate(_FIRST) if _of(one).id.startswith(start)]
        return first[0] if first else len(_FIRST)

    return sorted(built, key=place)


def _of(one: Table | Figure) -> Table:
    return one.table if isinstance(one, Figure) else one


def _setting(evidence: Evidence) -> str:
    facts = origins.of(evidence, evidence.plan)
    return "; ".join(
        f"{what}: {', '.join(escape(clean(value)) for value in sorted(values)) or 'unknown'}"
        for what, values in facts.items()
    )


def _part(part: Part, tables: Mapping[str, Table | Figure]) -> str:
    items = []
    for sentence in part.sentences:
        names = dict.fromkeys(address.partition("/")[0] for address in sentence.cells)
        links = " ".join(
            f'<a href="#{escape(name)}" title="{escape(_SOURCES.format(address=sentence.cells[0]))}">'
            f"[{escape(name)}]</a>"
            for name in names
            if name in tables
        )
        items.append(f'<li><span dir="auto">{escape(clean(sentence.text))}</span> {links}</li>')
    return f"<h3>{escape(part.title)}</h3><ul>{''.join(items)}</ul>"


def _shown(one: Table | Figure, folder: Path) -> str:
    table = html.fragment(_of(one))
    picture = folder / f"{_of(one).id}.png"
    if not isinstance(one, Figure) or not is_there(picture):
        return table
    data = base64.b64encode(picture.read_bytes()).decode()
    image = f'<img alt="{escape(_of(one).question)}" src="data:image/png;base64,{data}">'
    first, second = table.split("</h2>", 1)
    return f"{first}</h2>{image}{second}"


def run_table(evidence: Evidence) -> Table:
    """Every run of the plan: how it stands, what it took, and what is to be known of its health."""
    rows = []
    for run in evidence.plan.values():
        records = evidence.training.get(run.id, [])
        notes = [row["notes"] for row in records if row["notes"]]
        skipped = sum(row["skipped"] or 0 for row in records)
        if skipped:
            notes.append(f"{skipped} updates left out")
        if run.id in evidence.damaged:
            notes.append(f"damaged: {evidence.damaged[run.id]}")
        if run.id in evidence.stale:
            notes.append(f"stale: {evidence.stale[run.id]}")
        state = "damaged" if run.id in evidence.damaged else RunFolder(evidence.folder / run.id).state()
        seconds = device_seconds(evidence, run.id) if records else None
        cost = Cell(applies=False) if seconds is None else Cell(text=significant(seconds), value=seconds)
        health = Cell(text="; ".join(notes), prose=True) if notes else Cell(applies=False)
        cells = (Cell(text=run.stage), Cell(text=state), cost, health)
        rows.append(Row(key=run.id, label=run.id, cells=cells))
    names = ("stage", "state", "device seconds", "health")
    block = Block(columns=names, headers=tuple(Header(text=name) for name in names), rows=tuple(rows))
    done = sum(row.cells[1].text == "done" for row in rows)
    return printable(
        Table(
            id="runs",
            question="Runs",
            caption=f"{done} of {len(rows)} runs are done. Device seconds of training runs, all attempts.",
            blocks=(block,),
            stub="Run",
        )
    )
