"""After how many queries a dearer training has paid for itself, by what each query saves.

Measured costs only: device seconds of training, device seconds of a query.
"""

import math
from dataclasses import dataclass
from typing import Literal

from stilts.report.inference import Estimate

Outcome = Literal["repaid", "dominates", "never", "ahead until", "unknown"]


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakEven:
    """`repaid` after `value` queries; `dominates`: cheaper to serve and no dearer to train; `never`: dearer
    to serve and no cheaper to train; `ahead until` `value` queries: cheaper to train and dearer to serve;
    `unknown`: the saving's interval holds zero.
    """

    outcome: Outcome
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan


def break_even(extra: float, saving: Estimate) -> BreakEven:
    """Where two ways come to the same.

    Args:
        extra: what training the first way costs more than the other, in seconds.
        saving: what a query costs less in the first way, in seconds.
    """
    if not saving.has_interval or saving.low <= 0 <= saving.high:
        return BreakEven(outcome="unknown")
    saves = saving.low > 0
    if extra <= 0 and saves:
        return BreakEven(outcome="dominates")
    if extra >= 0 and not saves:
        return BreakEven(outcome="never")
    ends = sorted((extra / saving.low, extra / saving.high))
    outcome: Outcome = "repaid" if saves else "ahead until"
    return BreakEven(outcome=outcome, value=extra / saving.value, low=ends[0], high=ends[1])
