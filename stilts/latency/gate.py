"""Whether what is timed still answers as it should: each back end and type of number against eager fp32.

A fast form that answers otherwise is no faster form of the model: the tables leave its times out, aloud.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stilts import data
from stilts.evaluate import predict
from stilts.model.multitask import Model
from stilts.tasks import Task

SHARE = 0.999
"""Of the reference's metric that a fast form must reach, but for one example."""
DEVIATION = 0.3
"""Of the spread of the reference's numbers, the most that the fast form's may be off: a model that knows
nothing scores alike with any. bf16 was off by 0.003 to 0.022 in toy models, other numbers are by 1 or so.
"""
_ROUNDING = 0.01
"""Of the size of numbers that hardly differ from each other."""
_TOKENS = 4096


def examine(reference: Model, fast: Model, head: str, task: Task, queries: data.Encoded) -> dict[str, Any]:
    """Columns of a `gate` record.

    Args:
        reference: in fp32, eager.
        fast: the same weights as they are timed.
        head: which answers.
        task: gives the metric.
        queries: those that are timed.

    Raises:
        UserError: the reference's own numbers are not finite: there is nothing to time.
    """
    expected, found = (
        predict.outputs(model, head, task, queries, tokens_per_batch=_TOKENS) for model in (reference, fast)
    )
    predict.refuse_what_is_not_finite(expected, task, queries, what=f"head {head} in fp32")
    count = len(queries.examples)
    if not np.isfinite(found).all():
        return {
            "n": count,
            "difference": float(np.finfo(np.float64).max),
            "deviation": None,
            "flips": count,
            "reference": _metric(task, predict.judged(task, queries, expected)),
            "score": 0.0,
            "passed": False,
        }
    told, mine = (predict.judged(task, queries, numbers) for numbers in (expected, found))
    best, score = _metric(task, told), _metric(task, mine)
    deviation = _deviation(expected, found)
    return {
        "n": count,
        "difference": float(np.abs(expected - found).max()),
        "deviation": deviation,
        "flips": sum(one != other for one, other in zip(told.predictions, mine.predictions, strict=True)),
        "reference": best,
        "score": score,
        # A metric of n examples moves in steps of 1/n: one of them is no evidence.
        "passed": score >= SHARE * best - 100 / count and deviation <= DEVIATION,
    }


def _deviation(expected: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    """Root mean square of the differences, as a share of the spread."""
    wide = expected.astype(np.float64)
    spread = max(
        float(wide.std()), _ROUNDING * float(np.sqrt((wide**2).mean())), float(np.finfo(np.float32).tiny)
    )
    return float(np.sqrt(((found - wide) ** 2).mean())) / spread


def _metric(task: Task, predicted: predict.Predicted) -> float:
    """The mean of what counts towards the task's score."""
    values = predicted.scored.values
    return sum(values[name] for name in task.counted) / len(task.counted)
