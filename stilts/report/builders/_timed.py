"""Rows of the latency table, and what is said of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from stilts.report import caption, inference
from stilts.report.evidence import Evidence
from stilts.report.inference import Estimate, Ratio, Verdict
from stilts.report.spec import Spec
from stilts.report.timings import Timings, Variant, processes
from stilts.report.trace import Lines

_LAGGED = 5000
"""Calls of a process that tell how alike neighbours in time are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One printed row: a variant, its timings, and the ratio to the row it is compared with."""

    key: str
    apart: str
    """What tells it from other rows of its block."""
    variant: Variant
    timings: Timings
    ratio: Ratio | None
    by_process: Mapping[str, float] = field(default_factory=dict)
    """Ratios behind it, by run and process."""
    verdict: Verdict | Literal[""] = ""
    percentiles: Mapping[str, Estimate] = field(default_factory=dict)
    """By column."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """By column."""


def percentile_trace(by_process: Mapping[tuple[str, int], inference.Floats], quantile: float) -> Lines:
    """The calls that a percentile is of, process by process."""

    def lines() -> list[str]:
        count = sum(map(len, by_process.values()))
        found = [
            f"quantile {quantile:g} of {count} usable calls of all processes, linear between neighbours;",
            "interval by t over the logs of the processes' own",
        ]
        for (run, process), times in sorted(by_process.items()):
            if len(times):
                own = np.quantile(times, quantile) / 1e6
                where = f"{run}, process {process}".removeprefix(", ")
                found.append(f"  {where}: {len(times)} calls, quantile {own:.6f} ms")
        return found

    return lines


def calls_note(by_process: Sequence[inference.Floats], timings: Timings) -> str:
    correlations = [inference.lag_one(values[:_LAGGED]) for values in by_process]
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


def is_lossy(spec: Spec, line: Line) -> bool:
    lost = sum(line.timings.invalid.values())
    return lost > spec.stats.max_invalid * max(1, line.timings.num_calls)


def lossy_text(spec: Spec) -> str:
    return f"More than {100 * spec.stats.max_invalid:g} % of the calls were flagged and left out."


def few_processes(spec: Spec, lines: Sequence[Line]) -> list[str]:
    fewest = min((len(processes(line.timings.model)) for line in lines), default=spec.stats.min_processes)
    if fewest >= spec.stats.min_processes:
        return []
    return [f"FEW PROCESSES: {fewest}, where {spec.stats.min_processes} are the least to be published."]


def few_calls(evidence: Evidence, lines: Sequence[Line]) -> list[str]:
    """A line where a process that is done timed less than it was asked to."""
    asked = evidence.study.latency
    each = asked.rounds * (asked.calls - asked.warmup)
    for line in lines:
        planned = each * len(line.timings.model)
        if line.timings.num_calls < planned:
            return [f"FEW CALLS: {line.timings.num_calls} of {planned} planned, as of {line.key}."]
    return []


def flagged(lines: Sequence[Line]) -> str:
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


def caption_of(spec: Spec, evidence: Evidence, lines: Sequence[Line]) -> str:
    def listed(name: str) -> str:
        return ", ".join(sorted({str(getattr(line.variant, name)) for line in lines})) or "unknown"

    counts = [line.timings.count for line in lines]
    fewest = min((len(processes(line.timings.model)) for line in lines), default=0)
    level = f"{100 * spec.stats.level:g} %"
    compared = sum(line.ratio is not None for line in lines)
    return caption.sentence(
        spec.question,
        f"{spec.metric}; device {listed('device')}, {listed('dtype')}, attention {listed('impl')}, scenario "
        f"{listed('scenario')}, language {listed('language')}, padding {listed('padding')}",
        f"{fewest} fresh processes of {evidence.study.latency.processes} planned, {min(counts, default=0)} "
        f"to {max(counts, default=0)} usable calls a row; {flagged(lines)}; warm-up calls left out",
        "Model: from before the input is copied to the device until the result is on the host; end to end: "
        f"tokenising too. Brackets: {level} t-interval over processes, and of "
        "all calls where a process has too few for the percentile",
        "n/a: too few calls for an interval of that percentile (72 for p95, 368 for p99)",
        "Ratio: the median over calls made side by side on the same queries, t-interval over processes on "
        "the log; verdict: equivalent when "
        f"two one-sided tests place it within {100 * spec.stats.margin:g} % of 1, better or worse when it is "
        f"different, {caption.correction(spec, compared)}, each kind of test for itself; else inconclusive",
        _undecided(spec, lines),
        f"Study {evidence.study.name}",
        evidence.study.caveat,
    )


def _undecided(spec: Spec, lines: Sequence[Line]) -> str:
    """How many processes would tell what these do not."""
    open_ones = [line.ratio for line in lines if line.verdict == "inconclusive" and line.ratio is not None]
    needed = [inference.processes_needed(ratio, margin=spec.stats.margin) for ratio in open_ones]
    known = [count for count in needed if count is not None]
    if not open_ones:
        return ""
    told = f": with their spread about {max(known)} processes would tell" if known else ""
    compared = sum(line.ratio is not None for line in lines)
    return f"{len(open_ones)} of {compared} comparisons are inconclusive{told}"
