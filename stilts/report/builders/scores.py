"""Regimes by targets: the score, its change against a row of reference, and the means over tasks."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from hpc.errors import unknown_name
from stilts import tasks
from stilts.report import caption
from stilts.report.builders.training import is_chosen
from stilts.report.compare import Column, Comparer, Measured
from stilts.report.evidence import Evidence
from stilts.report.form import DAGGER, EMPTY, SIGNS, Block, Cell, Header, Row, State, Table
from stilts.report.inference import Estimate
from stilts.report.names import regime_name, task_name
from stilts.report.numbers import points, signed, spread
from stilts.report.published import Reported, reported_rows
from stilts.report.spec import Spec
from stilts.study import regimes

FEWER_SEEDS = "\u00a7"
_KINDS = {
    "classify": "sentence pairs",
    "choice": "choices",
    "tag": "tagging",
    "span": "questions",
    "retrieve": "retrieval",
}
COLUMNS = ("targets", "all", "trained")
"""Columns a table may list beside single targets: all of them, their mean, the mean of the trained ones."""


def build(spec: Spec, evidence: Evidence) -> list[Table]:
    """One table; its rows and columns are named in the spec."""
    comparer = Comparer(evidence, spec)
    columns = columns_of(spec, evidence)
    rows = [row for row in evidence.rows(spec.rows) if is_chosen(row) or _is_planned(row, evidence)]
    cells = cells_of(comparer, rows, columns)
    body = [
        Row(
            key=row,
            label=regime_name(row),
            cells=tuple(cells[row, column.key] for column in columns),
            ruled=regimes.find(row.partition("/")[0]).ruled,
        )
        for row in rows
    ]
    reported = reported_rows(evidence.study.name, spec.split, [column.key for column in columns])
    block = Block(
        columns=tuple(column.key for column in columns),
        headers=tuple(Header(text=column.header) for column in columns),
        groups=_groups(columns),
        rows=(*body, *(row.row for row in reported)),
    )
    return [_table(spec, comparer, columns, rows, block, reported)]


def columns_of(spec: Spec, evidence: Evidence) -> list[Column]:
    """The columns a spec names: `targets`, `all` (their mean) and `trained` (without retrieval).

    Raises:
        UserError: a target that the study does not have.
    """
    names = tuple(task.name for task in evidence.targets)
    trained = tuple(task.name for task in evidence.trained_targets)
    columns = []
    for name in spec.columns:
        if name == "targets":
            columns += [Column(key=task, header=task_name(task), targets=(task,)) for task in names]
        elif name == "all":
            columns.append(Column(key="all", header=f"mean of {len(names)}", targets=names))
        elif name == "trained":
            if len(trained) < len(names) or "all" not in spec.columns:
                columns.append(Column(key="trained", header=f"mean of {len(trained)}", targets=trained))
        elif name in names:
            columns.append(Column(key=name, header=task_name(name), targets=(name,)))
        else:
            raise unknown_name("column", name, (*COLUMNS, *names), where=f"table {spec.id}")
    return columns


def score_cell(
    row: str,
    column: Column,
    change: Estimate | None,
    *,
    comparer: Comparer,
    best: bool = False,
    mark: str = "",
    note: str = "",
) -> Cell:
    """A score with its change as small print."""
    measured = comparer.measure(row, column)
    if measured is None:
        return Cell(note=note)
    evidence = comparer.evidence
    state: State = comparer.state(change) if change else ""
    short = len(measured.by_seed) < len(evidence.seeds)
    first = next(iter(measured.by_seed.values()))
    return Cell(
        text=points(measured.value),
        value=measured.value,
        detail=change_text(change) + SIGNS.get(state, "") if change else "",
        change=change.value if change else None,
        change_low=_known(change.low) if change else None,
        change_high=_known(change.high) if change else None,
        p_value=_known(change.p_value) if change else None,
        count=first.count,
        best=best,
        shade=("better" if change.value > 0 else "worse") if state == "different" and change else "",
        state=state,
        mark=mark + FEWER_SEEDS * short,
        runs=measured.runs,
        other_runs=_runs_of(comparer.measure(comparer.spec.against, column)) if change else (),
        trace=comparer.trace(row, column, change),
        note=note,
    )


def _runs_of(measured: Measured | None) -> tuple[str, ...]:
    return measured.runs if measured else ()


def change_text(change: Estimate) -> str:
    """A change with half the width of its interval."""
    half = spread((change.high - change.low) / 2) if change.has_interval else ""
    return signed(change.value) + half


def _known(number: float) -> float | None:
    return None if math.isnan(number) else number


def _compared(block: Block) -> list[Cell]:
    """Cells with a comparison of their own: `best` repeats that of another row."""
    return [
        cell
        for row in block.rows
        for column, cell in zip(block.columns, row.cells, strict=True)
        if row.key != "best" or column in COLUMNS
    ]


def _is_planned(row: str, evidence: Evidence) -> bool:
    return any(row == planned for planned, _, _ in evidence.answers)


def _groups(columns: Sequence[Column]) -> tuple[Header, ...]:
    """One header over neighbouring columns of a kind."""
    kinds = ["means" if column.key in COLUMNS else _kind(column.targets[0]) for column in columns]
    return tuple(Header(text=kind, span=len(list(group)), essential=False) for kind, group in groupby(kinds))


def _kind(target: str) -> str:
    """In print; a type of task that has no other name has its own."""
    kind = tasks.load(target).type
    return _KINDS.get(kind, kind)


def cells_of(
    comparer: Comparer, rows: Sequence[str], columns: Sequence[Column]
) -> dict[tuple[str, str], Cell]:
    """By row and column key; all comparisons with the row of reference are one family.

    `best` is the cell of the row chosen for a target, and is not tested a second time.
    """
    tested = {
        column.key: [row for row in rows if row != "best" or len(column.targets) > 1] for column in columns
    }
    changes = comparer.changes((row, column) for column in columns for row in tested[column.key])
    cells = {}
    for column in columns:
        chosen = all(map(comparer.evidence.can_choose, column.targets))
        best = comparer.best(tested[column.key], column, len(columns))
        for row in tested[column.key]:
            probed = _probed(comparer.evidence, row, column)
            cells[row, column.key] = score_cell(
                row,
                column,
                changes.get((row, column.key)),
                comparer=comparer,
                best=row in best,
                mark=DAGGER * bool(probed),
                note=f"linear probe: {', '.join(probed)}" if probed else "",
            )
        if "best" in rows and not chosen:
            cells["best", column.key] = EMPTY
        elif "best" in rows and len(column.targets) == 1:
            cells["best", column.key] = _chosen(cells, column, comparer.evidence)
    return cells


def _probed(evidence: Evidence, row: str, column: Column) -> list[str]:
    """Targets of a column that a row answers by a linear probe."""
    answers = ((target, evidence.answers.get((row, evidence.seeds[0], target))) for target in column.targets)
    return [target for target, answer in answers if answer and answer.note == "probe"]


def _chosen(cells: dict[tuple[str, str], Cell], column: Column, evidence: Evidence) -> Cell:
    source = evidence.best.get(column.targets[0])
    if source is None or (source, column.key) not in cells:
        return Cell(note="a single's dev score is missing, so none can be chosen")
    return replace(
        cells[source, column.key],
        note=f"{regime_name(source)}, chosen on {caption.chosen_on(column.targets[0])}",
    )


def _table(
    spec: Spec,
    comparer: Comparer,
    columns: Sequence[Column],
    rows: Sequence[str],
    block: Block,
    reported: Sequence[Reported],
) -> Table:
    evidence = comparer.evidence
    single = [column for column in columns if len(column.targets) == 1]
    measured = [found for row in rows for column in single if (found := comparer.measure(row, column))]
    scores = [score for found in measured for score in found.by_seed.values()]
    marks = {mark for row in block.rows for cell in row.cells for mark in cell.mark}
    chosen = "; ".join(
        f"{task_name(target)}: {regime_name(row).removeprefix('single ')}"
        for target, row in evidence.best.items()
    )
    text = caption.sentence(
        spec.question,
        f"{spec.metric}; {spec.split} split, mean over languages, English included",
        caption.seeds(evidence),
        caption.sizes(scores),
        f"Small print: change against {regime_name(spec.against)}, \u00b1 "
        f"{caption.intervals(evidence, spec)}; without \u00b1 there is no interval",
        "Shaded: different, as by the sign. Bold: the best of a column and what is not told from it over all "
        "pairs of rows and all columns; nothing is bold where that is every row, or one was not tested",
        f"Best single: {caption.CHOICE} ({chosen})" if chosen else "",
        "The mean without retrieval stands beside the mean of all" if len(columns) > len(single) + 1 else "",
        caption.retrieval(evidence),
        caption.rules(evidence, evidence.study.targets),
        caption.setting(evidence),
        evidence.study.caveat,
    )
    footnotes = {
        DAGGER: "No intermediate head answers this target: a linear probe on the frozen encoder.",
        FEWER_SEEDS: "Fewer seeds than planned.",
    }
    runs = [run for found in measured for run in found.runs]
    return Table(
        id=spec.id,
        question=spec.question,
        caption=text,
        blocks=(block,),
        footnotes=(
            *caption.state_notes(spec, _compared(block), regime_name(spec.against)),
            *((mark, note) for mark, note in footnotes.items() if mark in marks),
            *(note for row in reported[:1] for note in row.footnotes),
        ),
        warnings=tuple(caption.warnings(evidence, runs, scores)),
    )
