"""Many tests at once: what may be said of each, given how many were made."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy import stats


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given; NaN (nothing was tested) stays NaN and is not counted.

    Any false finding in the family has the chance that the level says.
    """
    tested = sorted((p, n) for n, p in enumerate(p_values) if not math.isnan(p))
    adjusted, highest = [math.nan] * len(p_values), 0.0
    for rank, (p, n) in enumerate(tested):
        highest = max(highest, min(1.0, (len(tested) - rank) * p))
        adjusted[n] = highest
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values for maps that are looked over for where to look closer; NaN stays NaN.

    Of what is marked, the share that the level says is false on average; where nothing is true, any mark at
    all has that chance.
    """
    tested = [n for n, p in enumerate(p_values) if not math.isnan(p)]
    adjusted = [math.nan] * len(p_values)
    if tested:
        found = stats.false_discovery_control([p_values[n] for n in tested])
        for n, p in zip(tested, found, strict=True):
            adjusted[n] = float(p)
    return adjusted


def all_pairs(p_values: Sequence[float], num_rows: int) -> list[float]:
    """P-values of the best row against the others, adjusted for its having been picked by its number.

    Whichever row came out best, its comparisons are among those of all pairs.
    """
    pairs = num_rows * (num_rows - 1) / 2
    return [min(1.0, pairs * p) if not math.isnan(p) else p for p in p_values]


def partial_conjunction(one_sided: Sequence[float], level: float = 0.95) -> int:
    """In how many places at least there is an effect (Dror et al., 2017; Bonferroni's form, which holds under
    any dependence, such as that of parallel test sets).

    Args:
        one_sided: p-values by place; a place that was not tested counts as one without.
        level: the chance at most of naming too many is one minus it.
    """
    ordered = np.sort([1.0 if math.isnan(p) else p for p in one_sided])
    found, highest = 0, 0.0
    for count, p in enumerate(ordered.tolist(), start=1):
        highest = max(highest, (len(ordered) - count + 1) * p)
        if highest > 1 - level:
            break
        found = count
    return found


CORRECTIONS: Mapping[str, Callable[[Sequence[float]], list[float]]] = {
    "holm": holm,
    "bh": benjamini_hochberg,
    "none": list,
}
