"""Answers as rows of records, gold and predicted as text, and back again without a model.

A row names its example by id; ids that a set repeats are numbered (`x`, `x#2`). The answer to a retrieval
task is the foreign sentence itself. Where a set has a sentence twice, `score` tells the right copy from
another one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hpc.errors import UserError
from stilts.tasks import Task
from stilts.tasks.metrics import Scored

if TYPE_CHECKING:
    from stilts.data import Encoded
    from stilts.evaluate.predict import Answered


def prediction_rows(task: Task, encoded: "Encoded", answered: "Answered") -> list[dict[str, Any]]:
    """One row an example; of a mining pool, one a gold pair."""
    examples, scored = encoded.examples, answered.scored
    if task.type == "retrieve":
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


def all_rows(task: Task, encoded: "Encoded", answered: "Answered") -> list[dict[str, Any]]:
    """As `prediction_rows`, with all that scoring needs: nothing but the data has to be read again.

    An answer's lead over "no answer" stands in `aux`; of a mining pool, pairs whose English sentence has no
    translation there have rows too, without `gold`.
    """
    examples = encoded.examples
    rows = prediction_rows(task, encoded, answered)
    if task.type == "span":
        leads = answered.confidences.tolist()
        return _numbered([row | {"aux": lead} for row, lead in zip(rows, leads, strict=True)])
    if task.type == "retrieve":
        ids, foreign, english = (list(examples[name]) for name in ("id", "foreign", "english"))
        rows += [
            {"example_id": str(ids[row]), "pred": foreign[match], "score": 0.0}
            for row, match in answered.predictions
            if not (english[row] and foreign[row])
        ]
    return _numbered(rows)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """Stored predictions in the order of the examples, as scorers take them."""

    predictions: list[Any]
    confidences: list[float] | None
    missing: int
    """Examples without a row; of a pool, gold pairs without one."""


def answers_of(
    task: Task,
    examples: Mapping[str, Sequence[Any]],
    labels: Sequence[str],
    rows: Iterable[Mapping[str, Any]],
    *,
    where: str,
) -> Answers:
    """Reads predictions back.

    Raises:
        UserError: rows for examples that are not in the data, or a label the task does not have.
    """
    stored = {row["example_id"]: row for row in rows}
    ids = unique(examples["id"])
    strange = sorted(stored.keys() - set(ids))
    if strange:
        raise UserError(
            f"{where}: {len(strange)} predictions are for examples that the data do not have, such as "
            f"{strange[0]!r}: they belong to other data",
            code=3,
        )
    if task.type == "retrieve":
        return _pairs_of(examples, ids, stored, where)
    known = {name: number for number, name in enumerate(labels)}
    predictions = [
        None if name not in stored else _value(task, stored[name]["pred"], known, f"{where} {name}")
        for name in ids
    ]
    leads = [stored[name]["aux"] for name in ids if name in stored and stored[name]["aux"] is not None]
    return Answers(
        predictions=predictions,
        confidences=leads if len(leads) == len(ids) else None,
        missing=sum(value is None for value in predictions),
    )


def unique(ids: Iterable[Any]) -> list[str]:
    """The ids as texts, repeated ones numbered from the second on."""
    seen: dict[str, int] = defaultdict(int)
    found = []
    for name in map(str, ids):
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return found


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


def _numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = unique(row["example_id"] for row in rows)
    return [row | {"example_id": name} for row, name in zip(rows, names, strict=True)]


def _value(task: Task, text: str, known: Mapping[str, int], where: str) -> Any:
    """A prediction as its scorer takes it: an index, tags, or a text."""
    if task.type == "span":
        return text
    if task.type == "tag":
        return text.split(" ")
    if task.type == "choice":
        return int(text)
    if text not in known:
        raise UserError(f"{where}: {text!r} is no label of {task.name} ({', '.join(known)})")
    return known[text]


def _pairs_of(
    examples: Mapping[str, Sequence[Any]], ids: list[str], stored: Mapping[str, Mapping[str, Any]], where: str
) -> Answers:
    copies: dict[str, list[int]] = defaultdict(list)
    for row, text in enumerate(examples["foreign"]):
        copies[text].append(row)
    pairs, missing = [], 0
    for row, name in enumerate(ids):
        answer = stored.get(name)
        if answer is None:
            missing += bool(examples["english"][row] and examples["foreign"][row])
        elif answer["pred"] is not None:
            places = copies.get(answer["pred"])
            if not places:
                raise UserError(f"{where} {name}: the data have no sentence {answer['pred']!r}", code=3)
            others = [place for place in places if place != row]
            is_right = row in places and (answer["score"] == 1 or not others)
            pairs.append((row, row if is_right else others[0]))
    return Answers(predictions=pairs, confidences=None, missing=missing)


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
    if task.type == "span":
        return [" | ".join(answer["text"] for answer in answers) for answers in examples["answers"]]
    return [as_text(value, labels) for value in examples["tags" if task.type == "tag" else "label"]]
