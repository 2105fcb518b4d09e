"""A number with what is known of its spread: over seeds or processes, over test items, or both."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from stilts.report.inference.items import ItemEffects

Floats = NDArray[np.float64]
_LEAST_P = 1e-15
_ROUNDING = 1e-11
"""Of sums of points; no test set is so large that one answer more weighs less."""


@dataclass(frozen=True, slots=True)
class Part:
    """A share of the variance of a mean, and the degrees of freedom it is known with."""

    variance: float
    freedom: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """What a mean varies by.

    Half an interval is Cochran's: each part's own t, weighted by its variance. It is exact where one part is
    all there is, and errs on the wide side between.
    """

    replicates: Part | None = None
    """Seeds or processes: the variance of their mean, whatever makes them differ."""
    items: Part | None = None
    """What all replicates have in common: they were tried on the same items."""
    least: Part | None = None
    """Of the items alone. No interval is shorter, however alike the replicates came out."""

    @property
    def is_known(self) -> bool:
        """Whether there is any spread to go by: equal replicates and nothing else tell none."""
        return self.half(0.5) > 0

    def half(self, level: float) -> float:
        """Half the width of an interval of this level; 0 where nothing is known."""
        parts = [part for part in (self.replicates, self.items) if part is not None and part.variance > 0]
        total = sum(part.variance for part in parts)
        halves = [0.0]
        if self.replicates is not None and total > 0:
            weighed = sum(_t(level, part.freedom) * part.variance for part in parts)
            halves.append(weighed / math.sqrt(total))
        if self.least is not None:
            halves.append(_t(level, self.least.freedom) * math.sqrt(self.least.variance))
        return max(halves)

    def p_value(self, distance: float) -> float:
        """Two-sided p-value of a true mean this far away: the level whose interval just reaches it."""
        distance = abs(distance)
        if not self.is_known:
            return math.nan
        if self.half(1 - _LEAST_P) <= distance:
            return _LEAST_P
        if distance == 0:
            return 1.0

        def beyond(log_p: float) -> float:
            return self.half(1 - math.exp(log_p)) - distance

        if beyond(-1e-9) >= 0:
            return 1.0
        return math.exp(optimize.brentq(beyond, math.log(_LEAST_P), -1e-9, xtol=1e-6))


def _t(level: float, freedom: float) -> float:
    return float(special.stdtrit(freedom, 0.5 + level / 2))


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A number with its interval and the two-sided p-value of its being zero (NaN where there is none)."""

    value: float
    low: float = math.nan
    high: float = math.nan
    p_value: float = math.nan
    spread: Spread = Spread()

    @property
    def has_interval(self) -> bool:
        """Whether anything is known about the spread."""
        return not math.isnan(self.low)


def without_rounding(difference: float) -> float:
    """Zero where only rounding makes two numbers differ: means of equal scores may, in their last digit."""
    return 0.0 if abs(difference) < _ROUNDING else difference


def estimated(value: float, spread: Spread, level: float = 0.95) -> Estimate:
    """The interval and p-value that a spread gives; none where it is not known."""
    if not spread.is_known:
        return Estimate(value=value, spread=spread)
    half = spread.half(level)
    return Estimate(
        value=value, low=value - half, high=value + half, p_value=spread.p_value(value), spread=spread
    )


def t_estimate(values: Sequence[float], level: float = 0.95) -> Estimate:
    """Mean with Student's t-interval. One value has none, and neither have equal ones: by luck or because
    scores are coarse, they say nothing of how far others would lie.
    """
    return estimated(float(np.mean(values)), Spread(replicates=_between(values)), level)


def crossed(values: Sequence[float], effects: Sequence[ItemEffects] | None, level: float = 0.95) -> Estimate:
    """Mean over seeds of what is measured on the same test items: both are drawn again.

    Seeds that agree on a lucky set of items agree for that reason; an interval over seeds alone takes their
    luck for a finding (a quarter to two fifths of studies with ten seeds and equal recipes).

    Args:
        values: by seed, the difference of two systems in points.
        effects: by independent set of items, what each item adds to the difference of each seed; None where
            it is not known.
        level: of the interval.
    """
    value, between = without_rounding(float(np.mean(values))), _between(values)
    if not effects:
        return estimated(value, Spread(replicates=between), level)
    common = [one.variance_of_mean for one in effects]
    pooled, freedom = (
        sum(common),
        _welch([(one, each.freedom) for one, each in zip(common, effects, strict=True)]),
    )
    coarse = sum(one.step**2 for one in effects) / len(values)
    least = Part(pooled + coarse, freedom)
    if between is None:
        return estimated(value, Spread(least=least), level)
    single = sum(one.mean_variance for one in effects)
    # What seeds do not share of the items is in the variance between seeds already.
    shared = max(0.0, pooled - (single - pooled) / (len(values) - 1))
    return estimated(value, Spread(replicates=between, items=Part(shared, freedom), least=least), level)


def _between(values: Sequence[float]) -> Part | None:
    if len(values) < 2:
        return None
    variance = float(np.var(values, ddof=1)) / len(values)
    # Equal up to rounding is equal.
    scale = max(1.0, float(np.abs(values).max()))
    return Part(variance if variance > (1e-12 * scale) ** 2 else 0.0, len(values) - 1)


def _welch(parts: Sequence[tuple[float, float]]) -> float:
    """Degrees of freedom of a sum of variances."""
    total = sum(variance for variance, _ in parts)
    below = sum(variance**2 / freedom for variance, freedom in parts)
    return total**2 / below if below > 0 else min(freedom for _, freedom in parts)


def equivalence_p(estimate: Estimate, margin: float) -> float:
    """P-value of two one-sided tests that the true value lies within `margin` of zero; NaN without spread."""
    if not estimate.spread.is_known:
        return math.nan
    nearer = margin - abs(estimate.value)
    one_sided = estimate.spread.p_value(nearer) / 2
    return one_sided if nearer > 0 else 1 - one_sided
