"""Share of examples with the right label, or the right choice."""

import numpy as np

from stilts.tasks.metrics import Metric, Predictions, Scored, Submitted, lines


def score(given: Predictions) -> Scored:
    """`accuracy`."""
    gold = given.column("label")
    right = np.asarray([p == g for p, g in zip(given.values, gold, strict=True)], np.float32)
    share = float(right.mean(dtype=np.float64))
    return Scored(values={"accuracy": 100 * share}, by_example=right, missing=given.missing)


def _submission(given: Submitted) -> str:
    return lines(["" if value is None else given.labels[value] for value in given.predictions.values])


METRIC = Metric(score=score, reports=("accuracy",), counted=("accuracy",), submission=_submission)
