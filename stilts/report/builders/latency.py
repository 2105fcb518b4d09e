"""Latency by regime, target and batch: percentiles with their own rules, and the ratio of medians with a
verdict.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from stilts.report import caption, inference
from stilts.report.evidence import Evidence
from stilts.report.form import Block, Cell, Header, Row, Shade, Table
from stilts.report.inference import Estimate, Ratio, Verdict
from stilts.report.names import regime_name, task_name
from stilts.report.numbers import bracket, milliseconds
from stilts.report.spec import Spec
from stilts.report.timings import Timings, Variant, gate_warnings, load, processes, ratios

LOSSY = "!"
_PERCENTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
_OF_A_ROW = ("impl", "heads", "padding")
_OF_A_BLOCK = ("device", "dtype", "language", "scenario")
COLUMNS = (*_PERCENTILES, *(f"e2e_{name}" for name in _PERCENTILES), "ratio", "verdict")


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One printed row: a variant, its timings, and the ratio to the row it is compared with."""

    key: str
    apart: str
    """What tells it from other rows of its block."""
    variant: Variant
    timings: Timings
    ratio: Ratio | None
    verdict: Verdict | Literal[""] = ""
    percentiles: Mapping[str, Estimate] = field(default_factory=dict)
    """By column."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """By column."""


def build(spec: Spec, evidence: Evidence) -> list[Table]:
    """One table with a block for each target and batch size."""
    found = load(evidence)
    wanted = evidence.rows(spec.rows)
    variants = sorted(
        (variant for variant in found if variant.row in wanted), key=lambda v: _order(v, evidence, wanted)
    )
    lines = _judged(spec, [_line(spec, variant, found) for variant in variants])
    blocks: dict[str, list[Line]] = {}
    for line in lines:
        blocks.setdefault(_title(line.variant, variants), []).append(line)
    runs = [run for line in lines for run in line.timings.runs]
    return [
        Table(
            id=spec.id,
            question=spec.question,
            caption=_caption(spec, evidence, lines),
            blocks=tuple(_block(spec, title, rows) for title, rows in blocks.items()) or (_empty(spec),),
            footnotes=((LOSSY, _lossy_text(spec)),) if any(_is_lossy(spec, line) for line in lines) else (),
            warnings=(
                *_few_processes(spec, lines),
                *gate_warnings(evidence),
                *caption.warnings(evidence, runs),
            ),
        )
    ]


def _order(variant: Variant, evidence: Evidence, rows: Sequence[str]) -> tuple[object, ...]:
    targets = list(evidence.study.targets)
    place = targets.index(variant.target) if variant.target in targets else len(targets)
    apart = tuple(str(getattr(variant, name)) for name in (*_OF_A_BLOCK, *_OF_A_ROW))
    return (variant.device, place, variant.batch_size, *apart[:4], rows.index(variant.row), *apart[4:])


def _line(spec: Spec, variant: Variant, found: Mapping[Variant, Timings]) -> Line:
    place = f"{variant.target}/b{variant.batch_size}/{variant.row}"
    key = place + _apart(variant, found, _OF_A_ROW + _OF_A_BLOCK)
    baseline = found.get(replace(variant, row=spec.against))
    ratio = None
    if baseline is not None and variant.row != spec.against:
        by_process = ratios(found[variant], baseline)
        if by_process:
            ratio = inference.compare(by_process, margin=spec.stats.margin)
    apart = _apart(variant, found, _OF_A_ROW).removeprefix("/").replace("/", ", ")
    percentiles, notes = _measured(spec, found[variant])
    return Line(
        key=key,
        apart=apart,
        variant=variant,
        timings=found[variant],
        ratio=ratio,
        percentiles=percentiles,
        notes=notes,
    )


def _measured(spec: Spec, timings: Timings) -> tuple[dict[str, Estimate], dict[str, str]]:
    """All percentiles of a row at once, and what is said of the calls behind them."""
    percentiles: dict[str, Estimate] = {}
    notes: dict[str, str] = {}
    for prefix, times in (("", timings.model), ("e2e_", timings.end_to_end)):
        by_process = processes(times)
        if by_process:
            columns = [prefix + name for name in _PERCENTILES]
            found = inference.pooled_quantiles(
                by_process, list(_PERCENTILES.values()), level=spec.stats.level
            )
            percentiles |= dict(zip(columns, found, strict=True))
            notes |= dict.fromkeys(columns, _calls_note(by_process, timings))
    return percentiles, notes


def _judged(spec: Spec, lines: Sequence[Line]) -> list[Line]:
    compared = [line for line in lines if line.ratio is not None]
    p_values = [line.ratio.p_value for line in compared if line.ratio is not None]
    if spec.stats.correction == "holm":
        p_values = inference.holm(p_values)
    verdicts = {
        line.variant: inference.verdict(line.ratio, p_value, level=spec.stats.level)
        for line, p_value in zip(compared, p_values, strict=True)
        if line.ratio is not None
    }
    return [replace(line, verdict=verdicts.get(line.variant, "")) for line in lines]


def _title(variant: Variant, variants: Sequence[Variant]) -> str:
    apart = _apart(variant, variants, _OF_A_BLOCK).replace("/", ", ")
    return f"{task_name(variant.target)}, batch {variant.batch_size}{apart}"


def _apart(variant: Variant, variants: Iterable[Variant], names: Sequence[str]) -> str:
    """What tells a variant from others of its target and batch, by those of these names that differ."""
    place = variant.target, variant.batch_size
    others = [other for other in variants if (other.target, other.batch_size) == place]
    differing = (name for name in names if len({getattr(other, name) for other in others}) > 1)
    return "".join(f"/{getattr(variant, name)}" for name in differing)


def _block(spec: Spec, title: str, lines: Sequence[Line]) -> Block:
    rows = tuple(
        Row(
            key=line.key,
            label=regime_name(line.variant.row)
            + (f" ({line.apart})" if line.apart else "")
            + LOSSY * _is_lossy(spec, line),
            cells=tuple(_cell(spec, line, column) for column in spec.columns),
        )
        for line in lines
    )
    return _framed(spec, title, rows)


def _empty(spec: Spec) -> Block:
    row = Row(key="none", label="not measured", cells=tuple(Cell() for _ in spec.columns))
    return _framed(spec, "", (row,))


def _framed(spec: Spec, title: str, rows: tuple[Row, ...]) -> Block:
    model = [column for column in spec.columns if column in _PERCENTILES]
    whole = [column for column in spec.columns if column.startswith("e2e_")]
    compared = [column for column in spec.columns if column in ("ratio", "verdict")]
    spans = (("model (ms)", model), ("end to end (ms)", whole), (f"p50 against {spec.against}", compared))
    return Block(
        title=title,
        columns=(*model, *whole, *compared),
        headers=tuple(Header(text=column.removeprefix("e2e_")) for column in (*model, *whole, *compared)),
        groups=tuple(Header(text=text, span=len(group)) for text, group in spans if group),
        rows=rows,
    )


def _cell(spec: Spec, line: Line, column: str) -> Cell:
    if column in ("ratio", "verdict"):
        return _ratio_cell(spec, line, column)
    timings = line.timings.end_to_end if column.startswith("e2e_") else line.timings.model
    by_process = processes(timings)
    if not by_process:
        return Cell()
    quantile = _PERCENTILES[column.removeprefix("e2e_")]
    count = sum(map(len, by_process))
    if count < inference.least_queries(quantile):
        return Cell(text="n/a", detail=f"n={count}", count=count, runs=line.timings.runs)
    estimate = line.percentiles[column]
    low, high = estimate.low / 1e6, estimate.high / 1e6
    known = estimate.has_interval
    return Cell(
        text=milliseconds(estimate.value),
        detail=bracket(low, high, _digits(estimate.value / 1e6)) if known else "",
        value=estimate.value / 1e6,
        low=low if known else None,
        high=high if known else None,
        count=count,
        runs=line.timings.runs,
        note=line.notes[column],
    )


def _calls_note(by_process: Sequence[inference.Floats], timings: Timings) -> str:
    correlations = [inference.lag_one(values) for values in by_process]
    worth = sum(
        inference.effective_size(len(values), correlation)
        for values, correlation in zip(by_process, correlations, strict=True)
    )
    count = sum(map(len, by_process))
    known = [correlation for correlation in correlations if not math.isnan(correlation)]
    neighbours = f"lag-1 correlation {sum(known) / len(known):.2f}, " if known else ""
    left_out = ", ".join(f"{number} {reason}" for reason, number in sorted(timings.invalid.items()))
    return (
        f"{len(by_process)} processes; {neighbours}{count} calls worth {worth:.0f} independent ones; "
        f"left out: {left_out or 'none'}"
    )


def _digits(milliseconds_: float) -> int:
    return max(0, 2 - math.floor(math.log10(milliseconds_))) if milliseconds_ > 0 else 0


def _ratio_cell(spec: Spec, line: Line, column: str) -> Cell:
    if line.variant.row == spec.against:
        return Cell(applies=False)
    ratio = line.ratio
    if ratio is None:
        return Cell()
    if column == "verdict":
        found = line.verdict
        shade: Shade = found if found in ("better", "worse") else ""
        needed = inference.processes_needed(ratio, margin=spec.stats.margin)
        told = f"about {needed} processes would tell equal times apart from others" if needed else ""
        return Cell(
            text=found, shade=shade, runs=line.timings.runs, note=told if found == "inconclusive" else ""
        )
    known = ratio.num_processes > 1
    return Cell(
        text=f"{ratio.value:.3f}",
        detail=bracket(ratio.low, ratio.high, 3) if known else "",
        value=ratio.value,
        low=ratio.low if known else None,
        high=ratio.high if known else None,
        count=ratio.num_processes,
        runs=line.timings.runs,
    )


def _is_lossy(spec: Spec, line: Line) -> bool:
    lost = sum(line.timings.invalid.values())
    return lost > spec.stats.max_invalid * max(1, line.timings.num_calls)


def _lossy_text(spec: Spec) -> str:
    return f"More than {100 * spec.stats.max_invalid:g} % of the calls were flagged and left out."


def _few_processes(spec: Spec, lines: Sequence[Line]) -> list[str]:
    fewest = min((len(processes(line.timings.model)) for line in lines), default=spec.stats.min_processes)
    if fewest >= spec.stats.min_processes:
        return []
    return [f"FEW PROCESSES: {fewest}, where {spec.stats.min_processes} are the least to be published."]


def _flagged(lines: Sequence[Line]) -> str:
    """What was left out of all rows, by reason."""
    reasons: dict[str, int] = {}
    for line in lines:
        for reason, count in line.timings.invalid.items():
            reasons[reason] = reasons.get(reason, 0) + count
    total = sum(line.timings.num_calls for line in lines)
    listed = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()))
    return f"{sum(reasons.values())} of {total} calls flagged and left out" + (
        f" ({listed})" if listed else ""
    )


def _caption(spec: Spec, evidence: Evidence, lines: Sequence[Line]) -> str:
    def listed(name: str) -> str:
        return ", ".join(sorted({str(getattr(line.variant, name)) for line in lines})) or "unknown"

    counts = [line.timings.count for line in lines]
    fewest = min((len(processes(line.timings.model)) for line in lines), default=0)
    level = f"{100 * spec.stats.level:g} %"
    return caption.sentence(
        spec.question,
        f"{spec.metric}; device {listed('device')}, {listed('dtype')}, attention {listed('impl')}, scenario "
        f"{listed('scenario')}, language {listed('language')}, padding {listed('padding')}",
        f"{fewest} fresh processes of {evidence.study.latency.processes} planned, {min(counts, default=0)} "
        f"to {max(counts, default=0)} usable calls a row; {_flagged(lines)}; warm-up calls left out",
        "Model: from before the input is copied to the device until the result is on the host; end to end: "
        f"tokenising too. Brackets: {level} t-interval over processes, and of "
        "all calls where a process has too few for the percentile",
        "n/a: too few calls for an interval of that percentile (72 for p95, 368 for p99)",
        "Ratio: the median over calls made side by side on the same queries, t-interval over processes on "
        "the log; verdict: equivalent when "
        f"the 90 % interval lies within {100 * spec.stats.margin:g} % of 1, else by p-value, by Holm over "
        "the whole table",
        f"Study {evidence.study.name}",
        evidence.study.caveat,
    )
