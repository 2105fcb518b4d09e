"""Share of pairs with the right label, and F1 of the pairs that are meant: as GLUE scores paraphrases."""

import numpy as np

from stilts.tasks.metrics import Metric, Predictions, Scored

POSITIVE = 1
"""Index of the label whose pairs are looked for."""


def score(given: Predictions) -> Scored:
    """`f1` and `accuracy`; F1 is 0 where no pair is found or meant."""
    gold = given.column("label")
    right = np.asarray([p == g for p, g in zip(given.values, gold, strict=True)], np.float32)
    found = sum(value == POSITIVE for value in given.values)
    meant = sum(label == POSITIVE for label in gold)
    both = sum(p == g == POSITIVE for p, g in zip(given.values, gold, strict=True))
    f1 = 2 * both / (found + meant) if both else 0.0
    share = float(right.mean(dtype=np.float64))
    return Scored(values={"f1": 100 * f1, "accuracy": 100 * share}, by_example=right, missing=given.missing)


METRIC = Metric(score=score, reports=("f1", "accuracy"), counted=("f1", "accuracy"))
