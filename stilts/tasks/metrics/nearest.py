"""Share of English sentences whose nearest foreign one is their translation."""

import numpy as np

from stilts.tasks.metrics import Metric, Predictions, Scored, Submitted, lines
from stilts.tasks.metrics.pairs import gold_pairs


def score(given: Predictions) -> Scored:
    """`accuracy`."""
    gold = sorted(gold_pairs(given.examples))
    if not gold:
        raise ValueError("there are no examples to score")
    answers = {int(english): int(foreign) for english, foreign in given.values}
    right = np.asarray([answers.get(english) == foreign for english, foreign in gold], np.float32)
    missing = sum(english not in answers for english, _ in gold)
    share = float(right.mean(dtype=np.float64))
    return Scored(values={"accuracy": 100 * share}, by_example=right, missing=missing)


def _submission(given: Submitted) -> str:
    """Number of each English sentence's nearest, the English ones in the order of their text."""
    answers = dict(given.predictions.values)
    english = given.predictions.examples["english"]
    order = sorted(range(len(english)), key=lambda row: english[row])
    return lines([answers.get(row, -1) for row in order])


METRIC = Metric(score=score, reports=("accuracy",), counted=("accuracy",), submission=_submission)
