"""Ratios of times and their verdicts as cells; the same in every table that compares times."""

from collections.abc import Callable, Mapping, Sequence

from stilts.report.form import SIGNS, Cell, Shade, State
from stilts.report.inference import Ratio, Verdict
from stilts.report.numbers import bracket
from stilts.report.trace import Lines

_STATES: dict[Verdict, State] = {
    "equivalent": "equivalent",
    "better": "different",
    "worse": "different",
    "inconclusive": "not different",
    "not tested": "not tested",
}


def ratio_cell(
    ratio: Ratio | None, verdict: Verdict, runs: Sequence[str], trace: Lines, *, signed: bool = False
) -> Cell:
    """The ratio with its interval; `signed` where no verdict stands beside it."""
    if ratio is None:
        return Cell()
    state = _STATES[verdict]
    known = ratio.has_interval
    interval = bracket(ratio.low, ratio.high, 3) if known else ""
    return Cell(
        text=f"{ratio.value:.3f}",
        detail=interval + SIGNS.get(state, "") * signed,
        value=ratio.value,
        low=ratio.low if known else None,
        high=ratio.high if known else None,
        count=ratio.num_processes,
        shade=_shade(verdict) if signed else "",
        state=state,
        runs=tuple(runs),
        trace=trace,
    )


def verdict_cell(ratio: Ratio | None, verdict: Verdict, runs: Sequence[str], trace: Lines) -> Cell:
    """The verdict in words."""
    if ratio is None:
        return Cell()
    return Cell(text=verdict, shade=_shade(verdict), state=_STATES[verdict], runs=tuple(runs), trace=trace)


def ratio_trace(ratio: Ratio | None, by_process: Callable[[], Mapping[str, float]], against: str) -> Lines:
    """How a ratio came about, process by process."""

    def lines() -> list[str]:
        found = [
            f"ratio to {against}: by process the median over calls on the same queries side by side, then",
            "their geometric mean over processes",
        ]
        found += [f"  {process}: {value:.6f}" for process, value in by_process().items()]
        if ratio is not None:
            found.append(f"  p-value of equal times, before correction: {ratio.p_value:.6g}")
            found.append(f"  p-value of a difference beyond the margin: {ratio.equivalence_p:.6g}")
        return found

    return lines


def _shade(verdict: Verdict) -> Shade:
    return verdict if verdict in ("better", "worse") else ""
