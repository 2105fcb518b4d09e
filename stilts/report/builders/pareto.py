"""A figure: what a change in accuracy costs, in training and at the query."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stilts.report import caption, figures
from stilts.report.builders import scores, training
from stilts.report.compare import Comparer
from stilts.report.evidence import Evidence
from stilts.report.figures import COLOURS, Figure
from stilts.report.form import EMPTY, Block, Cell, Header, Row, Table
from stilts.report.inference import Estimate, t_estimate
from stilts.report.names import regime_name, task_name
from stilts.report.numbers import signed, significant
from stilts.report.spec import Spec
from stilts.report.timings import Timings, Variant, load, pooled_median, settings

COLUMNS = scores.COLUMNS


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One regime: its change in score, and its costs where they are known."""

    row: str
    change: Estimate
    seconds: float | None
    milliseconds: float | None
    models: int | None
    runs: tuple[str, ...]


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
        "In brackets: sets of weights that have to be deployed to answer all targets",
        caption.seeds(evidence),
        caption.setting(evidence),
        evidence.study.caveat,
    )
    table = Table(
        id=spec.id,
        question=spec.question,
        caption=text,
        blocks=(_block(points),),
        warnings=tuple(caption.warnings(evidence, [run for point in points for run in point.runs])),
    )
    panels = 1 + any(point.milliseconds is not None for point in points)
    size = (figures.DOUBLE_COLUMN if panels == 2 else figures.DOUBLE_COLUMN / 2 + 0.5, 2.8)

    def draw(figure: Any) -> None:
        _draw(figure, points, spec.against, panels)

    return [Figure(table=table, draw=draw, size=size, caveat=evidence.study.caveat)]


def _points(spec: Spec, evidence: Evidence) -> list[Point]:
    comparer = Comparer(evidence, spec)
    column = scores.columns_of(spec, evidence)[0]
    latencies = _latencies(_single(load(evidence)))
    points = []
    for row in evidence.rows(spec.rows):
        change = comparer.change(row, spec.against, column)
        if change is None:
            continue
        costs = training.costs_of(row, evidence)
        measured = comparer.measure(row, column)
        points.append(
            Point(
                row=row,
                change=change if row != spec.against else Estimate(value=0.0),
                seconds=t_estimate([cost.total for cost in costs]).value if costs else None,
                milliseconds=latencies.get(row),
                models=costs[0].models if costs else None,
                runs=measured.runs if measured else (),
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
    def number(value: float | None, text: str) -> Cell:
        return EMPTY if value is None else Cell(text=text, value=value)

    rows = []
    for point in points:
        change, spread = point.change, point.change.has_interval
        rows.append(
            Row(
                key=point.row,
                label=regime_name(point.row),
                cells=(
                    Cell(
                        text=signed(change.value),
                        value=change.value,
                        low=change.low if spread else None,
                        high=change.high if spread else None,
                        runs=point.runs,
                    ),
                    number(point.seconds, significant(point.seconds or 0)),
                    number(point.milliseconds, significant(point.milliseconds or 0)),
                    number(point.models, f"{point.models}"),
                ),
            )
        )
    return Block(
        columns=("change", "seconds", "milliseconds", "models"),
        headers=tuple(Header(text=text) for text in ("change", "device seconds", "ms a query", "models")),
        rows=tuple(rows),
    )


def _draw(figure: Any, points: Sequence[Point], against: str, panels: int) -> None:
    axes = figure.subplots(1, panels, sharey=True, squeeze=False)[0]
    _panel(axes[0], points, [point.seconds for point in points], labelled=panels == 1)
    axes[0].set_xlabel("training, device seconds")
    axes[0].set_ylabel(f"points against {against}")
    if panels == 2:
        _panel(axes[1], points, [point.milliseconds for point in points], labelled=True)
        axes[1].set_xlabel("p50 of a query at batch 1, ms")
    figure.tight_layout(w_pad=2)


def _panel(axes: Any, points: Sequence[Point], costs: Sequence[float | None], *, labelled: bool) -> None:
    axes.axhline(0, color="#999999", linewidth=0.8, zorder=0)
    for n, (point, cost) in enumerate(zip(points, costs, strict=True)):
        if cost is None:
            continue
        change = point.change
        spread = [[change.value - change.low], [change.high - change.value]] if change.has_interval else None
        axes.errorbar(
            cost,
            change.value,
            yerr=spread,
            fmt="osD^vPX<>"[n % 9],
            color=COLOURS[n % len(COLOURS)],
            markersize=5,
            elinewidth=1,
        )
    known = [cost for cost in costs if cost is not None]
    axes.set_xlim(0, 1.1 * max(known, default=1))
    if labelled:
        _labels(axes, points)


def _labels(axes: Any, points: Sequence[Point]) -> None:
    low, high = axes.get_ylim()
    places = figures.apart([point.change.value for point in points], 0.075 * (high - low))
    for n, (point, place) in enumerate(zip(points, places, strict=True)):
        models = f" ({point.models} model{'s' * (point.models > 1)})" if point.models else ""
        axes.annotate(
            regime_name(point.row).removesuffix(" (one model)") + models,
            xy=(1.0, point.change.value),
            xytext=(1.1, place),
            xycoords=("axes fraction", "data"),
            textcoords=("axes fraction", "data"),
            color=COLOURS[n % len(COLOURS)],
            va="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": COLOURS[n % len(COLOURS)],
                "linewidth": 0.6,
                "relpos": (0, 0.5),
                "shrinkA": 1,
                "shrinkB": 0,
            },
        )
