"""Latency by regime, target and batch: percentiles with their own rules, and the ratio of medians with a
verdict.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from stilts.report import caption, gates, inference
from stilts.report.builders._ratios import ratio_cell, ratio_trace, verdict_cell
from stilts.report.builders._timed import (
    Line,
    calls_note,
    caption_of,
    few_calls,
    few_processes,
    is_lossy,
    lossy_text,
    percentile_trace,
)
from stilts.report.evidence import Evidence
from stilts.report.form import Block, Cell, Header, Row, Table
from stilts.report.inference import Estimate
from stilts.report.names import regime_name, task_name
from stilts.report.numbers import bracket, milliseconds
from stilts.report.spec import Spec
from stilts.report.timings import Timings, Variant, load, processes, ratios

LOSSY = "!"
_PERCENTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
_OF_A_ROW = ("impl", "heads", "padding")
_OF_A_BLOCK = ("device", "dtype", "language", "scenario")
COLUMNS = (*_PERCENTILES, *(f"e2e_{name}" for name in _PERCENTILES), "ratio", "verdict")


def build(spec: Spec, evidence: Evidence) -> list[Table]:
    """One table with a block for each target and batch size."""
    lines = lines_of(spec, evidence)
    variants = [line.variant for line in lines]
    blocks: dict[str, list[Line]] = {}
    for line in lines:
        blocks.setdefault(_title(line.variant, variants), []).append(line)
    runs = [run for line in lines for run in line.timings.runs]
    return [
        Table(
            id=spec.id,
            question=spec.question,
            caption=caption_of(spec, evidence, lines),
            blocks=tuple(_block(spec, title, rows) for title, rows in blocks.items()) or (_empty(spec),),
            footnotes=((LOSSY, lossy_text(spec)),) if any(is_lossy(spec, line) for line in lines) else (),
            warnings=(
                *few_processes(spec, lines),
                *few_calls(evidence, lines),
                *gates.warnings(evidence, load(evidence)),
                *caption.warnings(evidence, runs),
            ),
        )
    ]


def lines_of(spec: Spec, evidence: Evidence) -> list[Line]:
    """What was timed, in the order of the table, with verdicts over all of it; worked out once."""
    found = load(evidence)
    key = ("lines", spec.against, spec.rows, spec.stats, id(found))
    if key not in evidence.shared:
        wanted = evidence.rows(spec.rows)
        variants = sorted(
            (variant for variant in found if variant.row in wanted), key=lambda v: _order(v, evidence, wanted)
        )
        evidence.shared[key] = _judged(spec, [_line(spec, variant, found) for variant in variants])
    lines: list[Line] = evidence.shared[key]
    return lines


def _order(variant: Variant, evidence: Evidence, rows: Sequence[str]) -> tuple[object, ...]:
    targets = list(evidence.study.targets)
    place = targets.index(variant.target) if variant.target in targets else len(targets)
    apart = tuple(str(getattr(variant, name)) for name in (*_OF_A_BLOCK, *_OF_A_ROW))
    return (variant.device, place, variant.batch_size, *apart[:4], rows.index(variant.row), *apart[4:])


def _line(spec: Spec, variant: Variant, found: Mapping[Variant, Timings]) -> Line:
    place = f"{variant.target}/b{variant.batch_size}/{variant.row}"
    key = place + _apart(variant, found, _OF_A_ROW + _OF_A_BLOCK)
    baseline = found.get(replace(variant, row=spec.against))
    ratio, by_process = None, {}
    if baseline is not None and variant.row != spec.against:
        by_process = ratios(found[variant], baseline, of="same work")
        if by_process:
            ratio = inference.compare(list(by_process.values()), margin=spec.stats.margin)
    apart = _apart(variant, found, _OF_A_ROW).removeprefix("/").replace("/", ", ")
    percentiles, notes = _measured(spec, found[variant])
    return Line(
        key=key,
        apart=apart,
        variant=variant,
        timings=found[variant],
        ratio=ratio,
        by_process=by_process,
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
            notes |= dict.fromkeys(columns, calls_note(by_process, timings))
    return percentiles, notes


def _judged(spec: Spec, lines: Sequence[Line]) -> list[Line]:
    compared = {line.variant: line.ratio for line in lines if line.ratio is not None}
    correct = inference.CORRECTIONS[spec.stats.correction]
    found = inference.verdicts(list(compared.values()), correct, level=spec.stats.level)
    verdicts = dict(zip(compared, found, strict=True))
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
            + LOSSY * is_lossy(spec, line),
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
        trace=percentile_trace(timings, quantile),
        note=line.notes[column],
    )


def _digits(milliseconds_: float) -> int:
    return max(0, 2 - math.floor(math.log10(milliseconds_))) if milliseconds_ > 0 else 0


def _ratio_cell(spec: Spec, line: Line, column: str) -> Cell:
    if line.variant.row == spec.against:
        return Cell(applies=False)
    ratio = line.ratio
    make = verdict_cell if column == "verdict" else ratio_cell
    trace = ratio_trace(ratio, lambda: dict(line.by_process), spec.against)
    return make(ratio, line.verdict or "not tested", line.timings.runs, trace)
