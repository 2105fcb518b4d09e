"""Share of English sentences whose nearest foreign one is their translation."""

import numpy as np

from stilts.tasks.metrics import Metric, Predictions, Scored, Submitted, lines, lines_of
from stilts.tasks.metrics.pairs import Pair, gold_pairs


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
    """Number of each English sentence's nearest, the English ones in the order of their text; -1 for none."""
    answers = dict(given.predictions.values)
    return lines([answers.get(row, -1) for row in _order(given)])


def _submitted(text: str, given: Submitted) -> list[Pair]:
    """Rows of the sentences."""
    order = _order(given)
    pairs = []
    for number, (row, line) in enumerate(zip(order, lines_of(text, len(order)), strict=True), start=1):
        if not line.removeprefix("-").isdecimal() or not -1 <= int(line) < len(order):
            raise ValueError(f"line {number}: {line[:80]!r} is no number of a sentence below {len(order)}")
        pairs += [(row, int(line))] * (line != "-1")
    return pairs


def _order(given: Submitted) -> list[int]:
    english = given.predictions.examples["english"]
    return sorted(range(len(english)), key=lambda row: english[row])


METRIC = Metric(
    score=score,
    reports=("accuracy",),
    counted=("accuracy",),
    submission=_submission,
    submitted=_submitted,
)
