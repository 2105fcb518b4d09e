"""Ratios of times and their verdicts as cells; the same in every table that compares times."""

from collections.abc import Sequence

from stilts.report.form import SIGNS, Cell, Shade, State
from stilts.report.inference import Ratio, Verdict
from stilts.report.numbers import bracket

_STATES: dict[Verdict, State] = {
    "equivalent": "equivalent",
    "better": "different",
    "worse": "different",
    "inconclusive": "not different",
    "not tested": "not tested",
}


def ratio_cell(ratio: Ratio | None, verdict: Verdict, runs: Sequence[str], *, signed: bool = False) -> Cell:
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
    )


def verdict_cell(ratio: Ratio | None, verdict: Verdict, runs: Sequence[str]) -> Cell:
    """The verdict in words."""
    if ratio is None:
        return Cell()
    return Cell(text=verdict, shade=_shade(verdict), state=_STATES[verdict], runs=tuple(runs))


def _shade(verdict: Verdict) -> Shade:
    return verdict if verdict in ("better", "worse") else ""
