"""Share of examples with the right label, or the right choice."""

import numpy as np

from stilts.tasks.metrics import Metric, Predictions, Scored, Submitted, lines, lines_of


def score(given: Predictions) -> Scored:
    """`accuracy`."""
    gold = given.column("label")
    right = np.asarray([p == g for p, g in zip(given.values, gold, strict=True)], np.float32)
    share = float(right.mean(dtype=np.float64))
    return Scored(values={"accuracy": 100 * share}, by_example=right, missing=given.missing)


def _submission(given: Submitted) -> str:
    return lines(["" if value is None else given.labels[value] for value in given.predictions.values])


def _submitted(text: str, given: Submitted) -> list[int | None]:
    """Indexes of labels; an empty line is no answer."""
    indexes: dict[str, int | None] = {name: index for index, name in enumerate(given.labels)} | {"": None}
    found = lines_of(text, len(given.predictions.examples["id"]))
    for number, name in enumerate(found, start=1):
        if name not in indexes:
            raise ValueError(f"line {number}: {name!r} is none of {', '.join(given.labels)}")
    return [indexes[name] for name in found]


METRIC = Metric(
    score=score,
    reports=("accuracy",),
    counted=("accuracy",),
    submission=_submission,
    submitted=_submitted,
)
