"""Predictions as rows of records, gold and predicted as text, and back again without a model.

A row names its example by id; ids that a set repeats are numbered (`x`, `x#2`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hpc.errors import UserError

if TYPE_CHECKING:
    from stilts.tasks.types import TaskType

Stored = Mapping[str, Mapping[str, Any]]
"""Rows by the id of their example."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """Predictions of a set with their scores, to be stored."""

    examples: Any
    """By column: a `datasets.Dataset`, or a dict of lists."""
    labels: Sequence[str]
    values: Sequence[Any]
    confidences: NDArray[np.float32]
    by_example: NDArray[np.float32]
    """Score of each example, or of each gold pair."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """Stored predictions in the order of the examples, as metrics take them."""

    predictions: list[Any]
    confidences: list[float] | None
    missing: int
    """Examples without a row; of a pool, gold pairs without one."""


def rows_by_example(kind: "TaskType", given: Given) -> list[dict[str, Any]]:
    """One row an example; `aux` is its confidence where scoring again needs it."""
    examples = given.examples
    names = list(kind.schema.names)
    columns = [list(examples[name]) for name in names]
    ids = unique(examples["id"])
    rows = []
    for number, values in enumerate(zip(*columns, strict=True)):
        example = dict(zip(names, values, strict=True))
        row = {
            "example_id": ids[number],
            "cluster_id": example.get("cluster"),
            "gold": kind.gold(example, given.labels),
            "pred": kind.as_text(given.values[number], given.labels),
            "score": float(given.by_example[number]),
        }
        rows.append(row | ({"aux": float(given.confidences[number])} if kind.keeps_confidence else {}))
    return rows


def answers_by_example(
    kind: "TaskType",
    examples: Mapping[str, Sequence[Any]],
    labels: Sequence[str],
    stored: Stored,
    *,
    where: str,
) -> Answers:
    """Stored rows as predictions again.

    Args:
        kind: the type of task.
        examples: by column.
        labels: names by index.
        stored: rows by the id of their example.
        where: the set, for messages.

    Raises:
        UserError: a stored text is no prediction of the task.
    """
    ids = unique(examples["id"])
    predictions: list[Any] = []
    for name in ids:
        try:
            predictions.append(kind.from_text(stored[name]["pred"], labels) if name in stored else None)
        except (ValueError, TypeError) as error:
            raise UserError(
                f"{where} {name}: {stored[name]['pred']!r} is no prediction: {error}", code=3
            ) from error
    leads = [stored[name]["aux"] for name in ids if name in stored and stored[name]["aux"] is not None]
    return Answers(
        predictions=predictions,
        confidences=leads if len(leads) == len(ids) else None,
        missing=sum(value is None for value in predictions),
    )


def by_id(examples: Mapping[str, Sequence[Any]], rows: Iterable[Mapping[str, Any]], *, where: str) -> Stored:
    """Stored rows by the id of their example.

    Raises:
        UserError: rows for examples that are not in the data (code 3).
    """
    stored = {row["example_id"]: row for row in rows}
    strange = sorted(stored.keys() - set(unique(examples["id"])))
    if strange:
        raise UserError(
            f"{where}: {len(strange)} predictions are for examples that the data do not have, such as "
            f"{strange[0]!r}: they belong to other data",
            code=3,
        )
    return stored


def unique(ids: Iterable[Any]) -> list[str]:
    """The ids as texts, repeated ones numbered from the second on."""
    seen: dict[str, int] = defaultdict(int)
    found = []
    for name in map(str, ids):
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return found


def label_name(index: Any, labels: Sequence[str]) -> str:
    """Name of a label by index; the index itself where the task has no names."""
    return labels[index] if labels else str(index)


def label_index(text: str, labels: Sequence[str]) -> int:
    """Index of a label's name.

    Raises:
        ValueError: it is none of the labels.
    """
    if text not in labels:
        raise ValueError(f"the labels are {', '.join(labels)}")
    return list(labels).index(text)
