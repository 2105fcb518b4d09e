"""Times: percentiles over calls, ratios over processes, and how many processes would tell.

The process is the unit: calls of one process are alike.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from stilts.report.inference.estimates import Estimate, Floats, equivalence_p, t_estimate

Verdict = Literal["equivalent", "better", "worse", "inconclusive", "not tested"]


def least_queries(quantile: float, level: float = 0.95) -> int:
    """Fewest observations for which a quantile has a two-sided order-statistic interval: 368 for p99."""
    tail = max(quantile, 1 - quantile)
    return math.ceil(math.log((1 - level) / 2) / math.log(tail))


def order_interval(values: Floats, quantile: float, level: float = 0.95) -> tuple[float, float] | None:
    """Distribution-free interval of a quantile, or None when there are too few values for one."""
    return _order_interval(np.sort(values), quantile, level)


def _order_interval(ordered: Floats, quantile: float, level: float) -> tuple[float, float] | None:
    count = len(ordered)
    if count < least_queries(quantile, level):
        return None
    # Ranks by the inverse of the binomial's distribution: no table as long as the sample.
    lower = int(stats.binom.ppf((1 - level) / 2, count, quantile)) - 1
    upper = int(stats.binom.ppf((1 + level) / 2, count, quantile))
    if lower < 0 or upper >= count:
        return None
    return float(ordered[lower]), float(ordered[upper])


def pooled_quantile(processes: Sequence[Floats], quantile: float, *, level: float = 0.95) -> Estimate:
    """One of `pooled_quantiles`."""
    return pooled_quantiles(processes, (quantile,), level=level)[0]


def pooled_quantiles(
    processes: Sequence[Floats], quantiles: Sequence[float], *, level: float = 0.95
) -> list[Estimate]:
    """Quantiles over the calls of all processes, with intervals that treat the process as the unit.

    Student's t over the logs of the processes' own quantiles, around that of all calls. Where a process has
    too few calls for a quantile of its own to say much, the interval also holds the order statistics of all
    calls. By simulation (2 % between processes, 3 to 12 of them with 34 to 225 calls) it covers 93 to 98 % at
    nominal 95 %, 99 % with fewer calls; a bootstrap of processes covers 82 to 88 %. One process has none.
    """
    parts = [np.sort(values) for values in processes]
    calls = np.sort(np.concatenate(parts))
    return [_pooled(parts, calls, quantile, level) for quantile in quantiles]


def _pooled(parts: Sequence[Floats], calls: Floats, quantile: float, level: float) -> Estimate:
    value = _of_sorted(calls, quantile)
    own = [_of_sorted(values, quantile) for values in parts]
    if len(parts) < 2 or min(own) <= 0:
        return Estimate(value=value)
    logs = t_estimate(np.log(own).tolist(), level)
    if not logs.has_interval:
        return Estimate(value=value)
    half = (logs.high - logs.low) / 2
    low, high = value * math.exp(-half), value * math.exp(half)
    if min(map(len, parts)) < least_queries(quantile, level):
        within = _order_interval(calls, quantile, level)
        if within is None:
            return Estimate(value=value)
        low, high = min(low, within[0]), max(high, within[1])
    return Estimate(value=value, low=low, high=high)


def _of_sorted(values: Floats, quantile: float) -> float:
    """As `numpy.quantile` has it, of values in ascending order."""
    place = (len(values) - 1) * quantile
    first = int(place)
    last = min(first + 1, len(values) - 1)
    low, high = float(values[first]), float(values[last])
    return low + (high - low) * (place - first)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ratio:
    """A ratio of times over processes; NaN where there are too few of them to tell."""

    value: float
    low: float
    high: float
    """Ends of a 95 % interval."""
    p_value: float
    """Of equal times."""
    equivalence_p: float
    """Of a difference beyond the margin: two one-sided tests."""
    num_processes: int

    @property
    def has_interval(self) -> bool:
        """Whether anything is known about the spread."""
        return not math.isnan(self.low)

    @property
    def equivalent(self) -> bool:
        """Whether the times are equal within the margin, as the only comparison made."""
        return self.equivalence_p < 0.05


@dataclass(frozen=True, slots=True)
class Calls:
    """Timed calls of one process: which call each was, ascending, and what it took."""

    keys: NDArray[np.int64]
    times: Floats
    work: NDArray[np.int32] | None = None
    """How much each had to do; None where it makes no difference."""

    def __len__(self) -> int:
        """How many."""
        return len(self.times)


def side_by_side(
    first: NDArray[np.int64], second: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of equal keys in both, which are ascending: the first of equal ones counts."""
    other = np.searchsorted(second, first)
    mine = np.flatnonzero(other < len(second))
    mine = mine[second[other[mine]] == first[mine]]
    return mine, other[mine]


def paired_ratio(first: Calls, second: Calls) -> float:
    """The median ratio of calls that answered the same queries side by side; NaN where there are none, or a
    pair had unlike work to do.

    A machine that slows down and recovers slows both of a pair.
    """
    mine, other = side_by_side(first.keys, second.keys)
    if not len(mine):
        return math.nan
    if first.work is not None and second.work is not None and (first.work[mine] != second.work[other]).any():
        return math.nan
    return float(np.exp(np.median(np.log(first.times[mine]) - np.log(second.times[other]))))


def compare(ratios: Sequence[float], *, margin: float = 0.02) -> Ratio:
    """The mean of processes' ratios on the log, with two one-sided tests of equivalence.

    Args:
        ratios: one a process, of a time to the baseline's.
        margin: a ratio within `1 / (1 + margin)` and `1 + margin` counts as 1.
    """
    logs = t_estimate(np.log(np.asarray(ratios, dtype=float)).tolist())
    return Ratio(
        value=math.exp(logs.value),
        low=math.exp(logs.low),
        high=math.exp(logs.high),
        p_value=logs.p_value,
        equivalence_p=equivalence_p(logs, math.log1p(margin)),
        num_processes=len(ratios),
    )


def processes_needed(ratio: Ratio, *, margin: float, level: float = 0.90, power: float = 0.80) -> int | None:
    """Processes with which equal times would be found equivalent, by the spread of those there are.

    None where fewer than two processes tell no spread. The study is planned by it: a pilot of a few processes
    first, then as many as it says.
    """
    if ratio.num_processes < 2 or not ratio.high > ratio.low > 0:
        return None
    half = math.log(ratio.high / ratio.low) / 2
    spread = half / float(special.stdtrit(ratio.num_processes - 1, 0.975)) * math.sqrt(ratio.num_processes)
    for count in range(2, 1001):
        # Both one-sided tests must succeed where the ratio is 1.
        reach = special.stdtrit(count - 1, level / 2 + 0.5) + special.stdtrit(count - 1, 0.5 + power / 2)
        if float(reach) * spread / math.sqrt(count) <= math.log1p(margin):
            return count
    return 1000


def verdicts(
    ratios: Sequence[Ratio], correct: Callable[[Sequence[float]], list[float]], *, level: float = 0.95
) -> list[Verdict]:
    """What may be said of each ratio of a family, where lower is better.

    Both tests of all ratios are corrected: for a difference, and for equivalence. A difference so small that
    it is shown to lie within the margin is called equivalent.
    """
    different = correct([ratio.p_value for ratio in ratios])
    equal = correct([ratio.equivalence_p for ratio in ratios])
    return [
        _verdict(ratio, p, same, 1 - level) for ratio, p, same in zip(ratios, different, equal, strict=True)
    ]


def _verdict(ratio: Ratio, different: float, equal: float, alpha: float) -> Verdict:
    if not ratio.has_interval:
        return "not tested"
    if equal < alpha:
        return "equivalent"
    if different < alpha:
        return "better" if ratio.value < 1 else "worse"
    return "inconclusive"


def lag_one(values: Floats) -> float:
    """Correlation of neighbours in time; NaN when there is no variation."""
    if len(values) < 3 or float(values.std()) == 0:
        return math.nan
    return float(np.corrcoef(values[:-1], values[1:])[0, 1])


def effective_size(count: int, correlation: float) -> float:
    """Independent observations worth as much as `count` with this lag-one correlation."""
    if math.isnan(correlation) or correlation <= 0:
        return float(count)
    return count * (1 - correlation) / (1 + correlation)
