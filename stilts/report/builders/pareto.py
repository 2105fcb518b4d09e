"""A figure: what a change in accuracy costs, in training and at the query."""

import string
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from stilts.report import caption, figures
from stilts.report.builders import scores, training
from stilts.report.compare import Comparer
from stilts.report.evidence import Evidence
from stilts.report.figures import COLOURS, Figure
from stilts.report.form import Block, Cell, Header, Row, Table
from stilts.report.names import regime_name, task_name
from stilts.report.numbers import signed, significant
from stilts.report.spec import Spec
from stilts.report.timings import Timings, Variant, load, pooled_median, settings
from stilts.report.trace import of_values

COLUMNS = scores.COLUMNS
_LETTERS = string.ascii_lowercase + string.ascii_uppercase


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One regime: its change in score, and its costs where they are known."""

    row: str
    cell: Cell
    """Its change, as in the table of scores."""
    seconds: Cell
    """Of all training behind it, as in the table of training."""
    milliseconds: float | None
    models: int | None

    @property
    def change(self) -> float:
        """In points; 0 for the row of reference."""
        return self.cell.change or 0.0


def build(spec: Spec, evidence: Evidence) -> list[Figure]:
    """Change of a mean score against training cost and, where timed, against the latency of a query."""
    points = _points(spec, evidence)
    if not points:
        return []
    column = scores.columns_of(spec, evidence)[0]
    single = _single(load(evidence))
    text = caption.sentence(
        spec.question,
        f"Up: change of the {column.header} ({spec.split} split) against {regime_name(spec.against)}, with "
        "the interval of the main table. Left: device seconds of all training behind a row, search included",
        _right(single),
        "In brackets: sets of weights that have to be deployed to answer all targets. The line joins what no "
        "cheaper row exceeds",
        caption.seeds(evidence),
        caption.setting(evidence),
        evidence.study.caveat,
    )
    table = Table(
        id=spec.id,
        question=spec.question,
        caption=text,
        blocks=(_block(points),),
        warnings=tuple(caption.warnings(evidence, [run for point in points for run in point.cell.runs])),
    )
    panels = 1 + any(point.milliseconds is not None for point in points)
    size = (figures.DOUBLE_COLUMN if panels == 2 else figures.DOUBLE_COLUMN / 2 + 0.5, 2.8)

    def draw(figure: Any) -> None:
        _draw(figure, points, spec.against, panels)

    return [Figure(table=table, draw=draw, size=size, caveat=evidence.study.caveat)]


def _points(spec: Spec, evidence: Evidence) -> list[Point]:
    """Changes and costs as the tables have them, worked out by what works out the tables."""
    column = scores.columns_of(spec, evidence)[0]
    latencies = _latencies(_single(load(evidence)))
    changes = scores.cells_of(Comparer(evidence, spec), evidence.rows(spec.rows), [column])
    points = []
    for (row, _), cell in changes.items():
        if cell.missing or (cell.change is None and row != spec.against):
            continue
        costs = training.costs_of(row, evidence)
        points.append(
            Point(
                row=row,
                cell=cell,
                seconds=training.total_cell(costs, evidence),
                milliseconds=latencies.get(row),
                models=costs[0].models if costs else None,
            )
        )
    return points


def _timed(found: dict[Variant, Timings]) -> list[str]:
    return sorted({variant.target for variant in found})


def _single(found: dict[Variant, Timings]) -> dict[Variant, Timings]:
    """Calls at batch 1 in one setting: the one in which most was timed."""
    alone = {variant: timings for variant, timings in found.items() if variant.batch_size == 1}
    return next(iter(settings(alone)), {})


def _right(found: dict[Variant, Timings]) -> str:
    """What the right panel shows, and in which setting."""
    if not found:
        return ""
    one, targets = next(iter(found)), ", ".join(map(task_name, _timed(found)))
    setting = f"{one.device}, {one.dtype}, attention {one.impl}, language {one.language}"
    return f"Right: median of a call at batch 1, mean over {targets} ({setting}, padding {one.padding})"


def _latencies(found: dict[Variant, Timings]) -> dict[str, float]:
    """Mean over targets of the median that the latency table tells; rows timed on every target only."""
    targets = _timed(found)
    medians: dict[str, dict[str, float]] = {}
    for variant, timings in found.items():
        if (middle := pooled_median(timings)) is not None:
            medians.setdefault(variant.row, {})[variant.target] = middle
    return {
        row: sum(by_target.values()) / len(targets)
        for row, by_target in medians.items()
        if len(by_target) == len(targets)
    }


def _block(points: Sequence[Point]) -> Block:
    def number(value: float | None, text: str, note: str) -> Cell:
        if value is None:
            return Cell(note=note)
        return Cell(text=text, value=value, trace=of_values("as the other tables have it", {note: value}))

    rows = []
    for point in points:
        cell = point.cell
        change = replace(
            cell,
            text=signed(point.change),
            detail=cell.detail.removeprefix(signed(point.change)).rstrip("*?"),
            state="",
            shade="",
            best=False,
            value=point.change,
            low=cell.change_low,
            high=cell.change_high,
        )
        milliseconds = number(point.milliseconds, significant(point.milliseconds or 0), "not timed")
        models = number(point.models, f"{point.models}", "unknown")
        rows.append(
            Row(
                key=point.row,
                label=regime_name(point.row),
                cells=(change, point.seconds, milliseconds, models),
            )
        )
    return Block(
        columns=("change", "seconds", "milliseconds", "models"),
        headers=tuple(Header(text=text) for text in ("change", "device seconds", "ms a query", "models")),
        rows=tuple(rows),
    )


def _draw(figure: Any, points: Sequence[Point], against: str, panels: int) -> None:
    axes = figure.subplots(1, panels, sharey=True, squeeze=False)[0]
    _panel(axes[0], points, [point.seconds.value for point in points])
    axes[0].set_xlabel("training, device seconds")
    axes[0].set_ylabel(f"points against {against}")
    if panels == 2:
        _panel(axes[1], points, [point.milliseconds for point in points])
        axes[1].set_xlabel("p50 of a query at batch 1, ms")
    names = []
    for letter, point in zip(_LETTERS, points, strict=False):
        models = f" ({point.models} model{'s' * (point.models > 1)})" if point.models else ""
        names.append(f"{letter}  {regime_name(point.row).removesuffix(' (one model)')}{models}")
    figure.tight_layout(w_pad=2, rect=(0, 0, 0.72 if panels == 2 else 0.6, 1))
    text = figures.drawable("\n".join(names) + "\n\nline: not bettered at its cost")
    figure.text(0.74 if panels == 2 else 0.62, 0.95, text, va="top", ha="left", fontsize=7, linespacing=1.35)


def _panel(axes: Any, points: Sequence[Point], costs: Sequence[float | None]) -> None:
    """Each regime as a letter in a mark of its own, and those that none betters joined by a line."""
    axes.axhline(0, color="#999999", linewidth=0.8, zorder=0)
    known = [(cost, point.change) for point, cost in zip(points, costs, strict=True) if cost is not None]
    edge = frontier(known)
    if edge:
        axes.step(*zip(*edge, strict=True), where="post", color="#333333", linewidth=1, zorder=1)
    for n, (point, cost) in enumerate(zip(points, costs, strict=True)):
        if cost is None:
            continue
        cell = point.cell
        spread = None
        if cell.change_low is not None and cell.change_high is not None:
            spread = [[point.change - cell.change_low], [cell.change_high - point.change]]
        colour = COLOURS[n % len(COLOURS)]
        axes.errorbar(
            cost, point.change, yerr=spread, fmt="osD^vPX<>"[n % 9], color=colour, markersize=4, elinewidth=1
        )
        axes.annotate(
            _LETTERS[n], (cost, point.change), xytext=(4, 3), textcoords="offset points", fontsize=7
        )
    axes.set_xlim(0, 1.15 * max((cost for cost, _ in known), default=1))


def frontier(places: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of (cost, gain), those that nothing as cheap exceeds, by cost."""
    found: list[tuple[float, float]] = []
    for cost, gain in sorted(places, key=lambda place: (place[0], -place[1])):
        if not found or gain > found[-1][1]:
            found.append((cost, gain))
    return found
