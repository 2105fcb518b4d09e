"""Answers as rows of records: one an example, gold and predicted as text, and one a metric."""

from typing import TYPE_CHECKING, Any

import numpy as np

from stilts.metrics import Scored
from stilts.tasks import Task

if TYPE_CHECKING:
    from stilts.data import Encoded
    from stilts.predict import Answered


def prediction_rows(task: Task, encoded: "Encoded", answered: "Answered") -> list[dict[str, Any]]:
    """One row an example; of a mining pool, one a gold pair."""
    examples, scored = encoded.examples, answered.scored
    if task.kind == "retrieve":
        return _pair_rows(examples, answered)
    predicted = [as_text(value, encoded.labels) for value in answered.predictions]
    gold = _gold_texts(task, examples, encoded.labels)
    clusters = examples["cluster"] if "cluster" in examples.column_names else [None] * len(predicted)
    return [
        {
            "example_id": str(example_id),
            "cluster_id": cluster,
            "gold": wanted,
            "pred": got,
            "score": float(score),
        }
        for example_id, cluster, wanted, got, score in zip(
            examples["id"], clusters, gold, predicted, scored.by_example, strict=True
        )
    ]


def score_rows(scored: Scored, *, num_full: int, **common: Any) -> list[dict[str, Any]]:
    """One row a metric; `common` is what they share."""
    count = len(scored.by_example)
    return [
        common | {"metric": metric, "value": value, "n": count, "n_full": max(count, num_full)}
        for metric, value in scored.values.items()
    ]


def as_text(value: Any, labels: tuple[str, ...]) -> str:
    """A prediction as text: a label's name, a choice's number, tags in a row, or the text it is."""
    if isinstance(value, int | np.integer):
        return labels[value] if labels else str(value)
    return value if isinstance(value, str) else " ".join(value)


def _pair_rows(examples: Any, answered: "Answered") -> list[dict[str, Any]]:
    found = dict(answered.predictions)
    ids, foreign = list(examples["id"]), list(examples["foreign"])
    rows = []
    for row, english in enumerate(examples["english"]):
        if english and foreign[row]:
            match = found.get(row)
            rows.append(
                {
                    "example_id": str(ids[row]),
                    "gold": foreign[row],
                    "pred": None if match is None else foreign[match],
                    "score": float(match == row),
                }
            )
    return rows


def _gold_texts(task: Task, examples: Any, labels: tuple[str, ...]) -> list[str]:
    if task.kind == "span":
        return [" | ".join(answer["text"] for answer in answers) for answers in examples["answers"]]
    return [as_text(value, labels) for value in examples["tags" if task.kind == "tag" else "label"]]
