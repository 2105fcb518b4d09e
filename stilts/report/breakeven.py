"""After how many queries a dearer training has paid for itself, by what each query saves.

Measured costs only: device seconds of training, device seconds of a query.
"""

import math
from dataclasses import dataclass
from typing import Literal

from stilts.report.inference import Estimate

Outcome = Literal["repaid", "dominates", "never", "ahead until", "unknown", "not tested"]


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakEven:
    """`repaid` after `value` queries; `dominates`: cheaper to serve and no dearer to train; `never`: dearer
    to serve and no cheaper to train; `ahead until` `value` queries: cheaper to train and dearer to serve;
    `unknown`: the saving's interval holds zero; `not tested`: it has none.
    """

    outcome: Outcome
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan


def break_even(extra: Estimate, saving: Estimate) -> BreakEven:
    """Where two ways come to the same, with Fieller's interval of the ratio.

    Args:
        extra: what training the first way costs more than the other, in seconds; without an interval it is
            taken as measured.
        saving: what a query costs less in the first way, in seconds.
    """
    if not saving.has_interval:
        return BreakEven(outcome="not tested")
    if saving.low <= 0 <= saving.high:
        return BreakEven(outcome="unknown")
    saves = saving.low > 0
    uncertain = (extra.high - extra.low) / 2 if extra.has_interval else 0.0
    if saves and extra.value + uncertain <= 0:
        return BreakEven(outcome="dominates")
    if not saves and extra.value - uncertain >= 0:
        return BreakEven(outcome="never")
    half = (saving.high - saving.low) / 2
    # The numbers of queries at which the difference in cost cannot be told from none.
    square = saving.value**2 - half**2
    middle = extra.value * saving.value
    root = math.sqrt(max(0.0, middle**2 - square * (extra.value**2 - uncertain**2)))
    low, high = (max(0.0, (middle + sign * root) / square) for sign in (-1, 1))
    outcome: Outcome = "repaid" if saves else "ahead until"
    return BreakEven(outcome=outcome, value=max(0.0, extra.value / saving.value), low=low, high=high)
