"""The statistics a table may claim: what is drawn again is the seed, the item or the process, never a
mixture.

Seeds and processes get Student's t (a percentile bootstrap over three seeds covers 73 % at nominal 95 %);
items get a bootstrap over clusters that draws the same items for both systems; timings get order statistics.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Floats = NDArray[np.float64]
_TIE = 1e-9
Verdict = Literal["equivalent", "better", "worse", "inconclusive"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A number with its interval and the two-sided p-value of its being zero (NaN where there is none)."""

    value: float
    low: float = math.nan
    high: float = math.nan
    p_value: float = math.nan

    @property
    def has_interval(self) -> bool:
        """Whether anything is known about the spread."""
        return not math.isnan(self.low)


def t_estimate(values: Sequence[float], level: float = 0.95) -> Estimate:
    """Mean with Student's t-interval; of one value there is no interval."""
    data = np.asarray(values, dtype=float)
    mean = float(data.mean())
    if len(data) < 2:
        return Estimate(value=mean)
    freedom, error = len(data) - 1, float(data.std(ddof=1)) / math.sqrt(len(data))
    half = float(special.stdtrit(freedom, 0.5 + level / 2)) * error
    if error == 0:
        return Estimate(value=mean, low=mean, high=mean, p_value=float(mean == 0))
    p_value = 2 * float(special.stdtr(freedom, -abs(mean) / error))
    return Estimate(value=mean, low=mean - half, high=mean + half, p_value=p_value)


def paired_difference(first: Sequence[float], second: Sequence[float], level: float = 0.95) -> Estimate:
    """Mean of `first - second` over pairs that share a seed, with a t-interval."""
    return t_estimate(np.subtract(first, second).tolist(), level)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given; NaN (nothing was tested) stays NaN and is not counted."""
    tested = sorted((p, n) for n, p in enumerate(p_values) if not math.isnan(p))
    adjusted, highest = [math.nan] * len(p_values), 0.0
    for rank, (p, n) in enumerate(tested):
        highest = max(highest, min(1.0, (len(tested) - rank) * p))
        adjusted[n] = highest
    return adjusted


def item_draws(num_clusters: int, resamples: int, seed: int = 0) -> NDArray[np.uint8]:
    """How often each cluster is drawn in each resample: [resamples, num_clusters].

    One matrix serves every system scored on the same clusters, which is what makes their difference paired.
    """
    generator = np.random.default_rng(seed)
    counts = np.empty((resamples, num_clusters), np.uint8)
    for row in counts:
        row[:] = np.bincount(generator.integers(num_clusters, size=num_clusters), minlength=num_clusters)
    return counts


def cluster_sums(values: NDArray[Any], clusters: NDArray[np.int64], num_clusters: int) -> Floats:
    """Sums of item values within each cluster: [num_clusters] or [num_clusters, columns]."""
    columns = np.atleast_2d(np.asarray(values, dtype=float).T)
    sums = [np.bincount(clusters, weights=column, minlength=num_clusters) for column in columns]
    stacked: Floats = np.stack(sums, axis=1).astype(float)
    return stacked if np.ndim(values) > 1 else stacked[:, 0]


def resampled_means(sums: Floats, sizes: Floats, draws: NDArray[np.uint8]) -> Floats:
    """The mean over items in every resample, given each cluster's sum and number of items."""
    means: Floats = (draws @ sums) / (draws @ sizes)
    return means


def resampled_f1(hits: Floats, predicted: Floats, gold: Floats, draws: NDArray[np.uint8]) -> Floats:
    """Micro-averaged F1 (0-1) in every resample, given each cluster's counts of spans."""
    total = draws @ (predicted + gold)
    return np.divide(2 * (draws @ hits), total, out=np.zeros(len(draws)), where=total > 0)


def from_resamples(value: float, resamples: Floats, level: float = 0.95) -> Estimate:
    """Percentile interval and two-sided p-value of a difference whose resamples are given."""
    low, high = np.quantile(resamples, [0.5 - level / 2, 0.5 + level / 2])
    # A tie is a tie whatever order the sums were taken in.
    below, above = np.mean(resamples <= _TIE), np.mean(resamples >= -_TIE)
    p_value = min(1.0, 2 * max(float(min(below, above)), 1 / (len(resamples) + 1)))
    return Estimate(value=value, low=float(low), high=float(high), p_value=p_value)


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
    logs = np.log(own)
    error = float(logs.std(ddof=1)) / math.sqrt(len(logs))
    half = float(special.stdtrit(len(logs) - 1, 0.5 + level / 2)) * error
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
    """A ratio of times over processes. `low` and `high` are 95 %, the equivalence test's ends 90 %."""

    value: float
    low: float
    high: float
    p_value: float
    equivalent: bool
    num_processes: int


@dataclass(frozen=True, slots=True)
class Calls:
    """Timed calls of one process: which call each was, ascending, and what it took."""

    keys: NDArray[np.int64]
    times: Floats

    def __len__(self) -> int:
        """How many."""
        return len(self.times)


def paired_ratio(first: Calls, second: Calls) -> float:
    """The median ratio of calls that answered the same queries side by side; NaN where there are none.

    A machine that slows down and recovers slows both of a pair.
    """
    # The first of equal keys counts; both are ascending, so that a search is enough.
    other = np.searchsorted(second.keys, first.keys)
    mine = np.flatnonzero(other < len(second))
    mine = mine[second.keys[other[mine]] == first.keys[mine]]
    other = other[mine]
    if not len(mine):
        return math.nan
    return float(np.exp(np.median(np.log(first.times[mine]) - np.log(second.times[other]))))


def compare(ratios: Sequence[float], *, margin: float = 0.02) -> Ratio:
    """The mean of processes' ratios on the log, with two one-sided tests of equivalence.

    Args:
        ratios: one a process, of a time to the baseline's.
        margin: the ratio counts as 1 when its 90 % interval lies within `1 / (1 + margin)` and `1 + margin`.
    """
    logs = np.log(np.asarray(ratios, dtype=float)).tolist()
    wide, narrow = t_estimate(logs, 0.95), t_estimate(logs, 0.90)
    limit = math.log1p(margin)
    return Ratio(
        value=math.exp(wide.value),
        low=math.exp(wide.low),
        high=math.exp(wide.high),
        p_value=wide.p_value,
        equivalent=narrow.has_interval and -limit < narrow.low and narrow.high < limit,
        num_processes=len(logs),
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


def verdict(ratio: Ratio, adjusted_p: float, *, level: float = 0.95) -> Verdict:
    """What may be said of a ratio of times, where lower is better; equivalence is looked at first."""
    if ratio.equivalent:
        return "equivalent"
    if adjusted_p < 1 - level:
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
