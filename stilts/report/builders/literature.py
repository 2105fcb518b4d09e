"""Our numbers beside those that papers report: never tested, each with its source."""

from stilts.report import caption, inference
from stilts.report.builders import scores
from stilts.report.compare import Column, Comparer
from stilts.report.evidence import Evidence
from stilts.report.form import DOUBLE_DAGGER, EMPTY, Block, Cell, Header, Row, Table
from stilts.report.names import regime_name
from stilts.report.numbers import points, signed
from stilts.report.published import Figures, published, value_of
from stilts.report.spec import Spec

COLUMNS = scores.COLUMNS
_OURS = {"direct": "direct", "multitask": "multi", "best": "best"}


def build(spec: Spec, evidence: Evidence) -> list[Table]:
    """A block for each split and quantity reported of the study's model; ours, theirs, and between them."""
    comparer = Comparer(evidence, spec)
    columns = scores.columns_of(spec, evidence)
    figures = [one for one in published().reported if one.study == evidence.study.name]
    rows = [row for one in figures for row in _rows(comparer, one, columns)]
    sources = "; ".join(dict.fromkeys(published().sources[one.source] for one in figures))
    split = spec.split
    text = caption.sentence(
        spec.question,
        f"{spec.metric}; ours: {split} split, mean over languages, English included" if figures else "",
        caption.seeds(evidence),
        "Theirs: scores of the split named; changes against their own model without an intermediate task, on "
        "dev. Between: ours less theirs"
        if figures
        else f"Nobody reported figures of the study {evidence.study.name}",
        f"Reported: {sources}" if sources else "",
        f"Study {evidence.study.name}",
        evidence.study.caveat,
    )
    empty = Row(key="none", label="nothing reported", cells=tuple(EMPTY for _ in columns))
    block = Block(
        columns=tuple(column.key for column in columns),
        headers=tuple(Header(text=column.header) for column in columns),
        rows=tuple(rows) or (empty,),
    )
    note = (DOUBLE_DAGGER, "Second-hand, not yet compared with the paper's own table.")
    runs = [run for row in rows for cell in row.cells for run in cell.runs]
    return [
        Table(
            id=spec.id,
            question=spec.question,
            caption=text,
            blocks=(block,),
            footnotes=(note,) if figures else (),
            warnings=tuple(caption.warnings(evidence, runs)),
        )
    ]


def _rows(comparer: Comparer, figures: Figures, columns: list[Column]) -> list[Row]:
    tasks = comparer.evidence.study.intermediate.tasks
    row = _OURS.get(figures.key) or (f"single/{figures.key}" if figures.key in tasks else "")
    is_change = figures.quantity == "change"
    ours, theirs, between = [], [], []
    for column in columns:
        value = value_of(figures, column.key)
        mark = "" if column.key in figures.checked else DOUBLE_DAGGER
        show = signed if is_change else points
        theirs.append(EMPTY if value is None else Cell(text=show(value), value=value, mark=mark))
        mine = _ours(comparer, row, column, is_change=is_change)
        ours.append(mine)
        if value is None or mine.value is None:
            between.append(EMPTY if value is None else Cell(note="not measured here"))
        else:
            apart = inference.without_rounding(mine.value - value)
            between.append(Cell(text=signed(apart), value=apart, runs=mine.runs))
    what = f"{figures.label}, {figures.quantity}, {figures.split}"
    key = f"{figures.source}/{figures.split}/{figures.key}"
    label = regime_name(row) if row else figures.label
    return [
        Row(key=f"{key}/ours", label=f"{label}, ours", cells=tuple(ours), ruled=True),
        Row(key=f"{key}/theirs", label=f"{what}, theirs", cells=tuple(theirs)),
        Row(key=f"{key}/between", label="between", cells=tuple(between)),
    ]


def _ours(comparer: Comparer, row: str, column: Column, *, is_change: bool) -> Cell:
    measured = comparer.measure(row, column) if row else None
    change = comparer.change(row, comparer.spec.against, column) if row and is_change else None
    if is_change and change is not None and row != comparer.spec.against:
        detail = scores.change_text(change).removeprefix(signed(change.value))
        runs = measured.runs if measured else ()
        trace = comparer.trace(row, column, change)
        return Cell(text=signed(change.value), detail=detail, value=change.value, runs=runs, trace=trace)
    if measured is None or is_change:
        return Cell(note="not measured here")
    trace = comparer.trace(row, column, None)
    return Cell(text=points(measured.value), value=measured.value, runs=measured.runs, trace=trace)
