"""Whether a training regime changes what a query takes: a ratio a target and batch, with a sign for it."""

from collections.abc import Mapping

from stilts.report import caption, gates
from stilts.report.builders import latency
from stilts.report.builders._ratios import ratio_cell, ratio_trace
from stilts.report.builders._timed import Line, few_calls, few_processes, flagged
from stilts.report.evidence import Evidence
from stilts.report.form import SIGNS, Block, Cell, Header, Row, Table
from stilts.report.names import regime_name, task_name
from stilts.report.spec import Spec
from stilts.report.timings import load

COLUMNS = ("all",)


def build(spec: Spec, evidence: Evidence) -> list[Table]:
    """A block for each device and type of number; rows are regimes, columns targets and batches."""
    lines = latency.lines_of(spec, evidence)
    blocks: dict[str, list[Line]] = {}
    for line in lines:
        one = line.variant
        setting = f"{one.device}, {one.dtype}, attention {one.impl}, {one.language}"
        blocks.setdefault(setting + f", {one.heads} heads" * (one.heads > 1), []).append(line)
    compared = sum(line.ratio is not None for line in lines)
    states = {cell_of(spec, line).state for line in lines}
    texts = {
        "equivalent": f"Equivalent: shown to lie within {100 * spec.stats.margin:g} % of 1.",
        "different": "Different from 1, and not shown to lie that near.",
        "not tested": "Not tested: fewer than two processes, or all alike.",
    }
    text = caption.sentence(
        spec.question,
        f"Ratio of times to {regime_name(spec.against)}: median over calls side by side, "
        f"{100 * spec.stats.level:g} % t-interval over processes; {flagged(lines)}",
        f"Both tests at {caption.correction(spec, compared)}, each kind for itself. Without a sign a ratio "
        "is neither shown to differ nor shown not to",
        f"Study {evidence.study.name}",
        evidence.study.caveat,
    )
    runs = [run for line in lines for run in line.timings.runs]
    return [
        Table(
            id=spec.id,
            question=spec.question,
            caption=text,
            blocks=tuple(_block(spec, title, rows) for title, rows in blocks.items()),
            footnotes=tuple((SIGNS[state], note) for state, note in texts.items() if state in states),
            warnings=(
                *few_processes(spec, lines),
                *few_calls(evidence, lines),
                *gates.warnings(evidence, load(evidence)),
                *caption.warnings(evidence, runs),
            ),
        )
    ]


def cell_of(spec: Spec, line: Line) -> Cell:
    """The ratio of a line to the row of reference, its sign behind it."""
    if line.ratio is None:
        return Cell(note="no process timed both")
    trace = ratio_trace(line.ratio, lambda: dict(line.by_process), spec.against)
    return ratio_cell(line.ratio, line.verdict or "not tested", line.timings.runs, trace, signed=True)


def _block(spec: Spec, title: str, lines: list[Line]) -> Block:
    places = list(dict.fromkeys((line.variant.target, line.variant.batch_size) for line in lines))
    rows = list(dict.fromkeys(line.variant.row for line in lines if line.variant.row != spec.against))
    found: Mapping[tuple[str, str, int], Line] = {
        (line.variant.row, line.variant.target, line.variant.batch_size): line for line in lines
    }
    return Block(
        title=title,
        columns=tuple(f"{target}-b{batch}" for target, batch in places),
        headers=tuple(Header(text=f"{task_name(target)}, batch {batch}") for target, batch in places),
        rows=tuple(
            Row(
                key=f"{lines[0].variant.dtype}/{lines[0].variant.impl}/{lines[0].variant.language}/{row}",
                label=f"{regime_name(row)} / {regime_name(spec.against)}",
                cells=tuple(
                    cell_of(spec, found[row, *place]) if (row, *place) in found else Cell(note="not timed")
                    for place in places
                ),
            )
            for row in rows
        ),
    )
