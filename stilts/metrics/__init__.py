"""Scores of predictions against examples, 0 to 100. No torch, nothing fetched.

`score(name, examples=..., predictions=..., language=...)` is what evaluation calls; `SCORERS` maps the name that
a task gives to its function. `stilts.metrics.averages` goes on to language, task and group means.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stilts.errors import unknown
from stilts.metrics import pairs, questions, tagging

Columns = Mapping[str, Sequence[Any]]
"""Examples by column: a `datasets.Dataset`, or a dict of lists."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """What a scorer finds in one language."""

    values: Mapping[str, float]
    """Metric to points, 0 to 100."""
    by_example: NDArray[np.float32]
    """The last metric of `values` by example, 0 to 1: F1 of an answer, share of right tags, right or not."""
    missing: int
    """Examples without a prediction; each counts as wrong."""


Scorer = Callable[[Columns, Sequence[Any], str], Scores]


def score(name: str, *, examples: Columns, predictions: Sequence[Any], language: str) -> Scores:
    """Scores predictions that stand in the order of the examples; None is a missing one.

    Args:
        name: one of `SCORERS`.
        examples: by column, in the schema of the task's kind.
        predictions: indexes (accuracy), lists of tags, texts, or for retrieval `(english, foreign)` rows.
        language: decides how MLQA normalises; no other scorer looks at it.

    Raises:
        Problem: there is no such scorer.
        ValueError: there are no examples, or more or fewer predictions than examples.
    """
    if name not in SCORERS:
        raise unknown("scorer", name, SCORERS)
    return SCORERS[name](examples, predictions, language)


def _accuracy(examples: Columns, predictions: Sequence[Any], language: str) -> Scores:  # noqa: ARG001
    gold = list(examples["label"])
    _check(gold, predictions)
    right = np.asarray([p == g for p, g in zip(predictions, gold, strict=True)], np.float32)
    return Scores(
        values={"accuracy": 100 * float(right.mean())}, by_example=right, missing=_missing(predictions)
    )


def _tags(scheme: tagging.Scheme) -> Scorer:
    def scorer(examples: Columns, predictions: Sequence[Any], language: str) -> Scores:  # noqa: ARG001
        gold = list(examples["tags"])
        _check(gold, predictions)
        filled = [["O"] * len(g) if p is None else p for p, g in zip(predictions, gold, strict=True)]
        values = {"f1": tagging.chunk_f1(gold, filled, scheme=scheme)} if scheme != "tokens" else {}
        right, total = tagging.right_tags(gold, filled)
        values["accuracy"] = 100 * float(right.sum() / total.sum())
        return Scores(
            values=values, by_example=(right / total).astype(np.float32), missing=_missing(predictions)
        )

    return scorer


def _questions(rules: questions.Rules) -> Scorer:
    def scorer(examples: Columns, predictions: Sequence[Any], language: str) -> Scores:
        golds = [[answer["text"] for answer in answers] for answers in examples["answers"]]
        _check(golds, predictions)
        em, f1 = questions.score_answers(predictions, golds, rules=rules, language=language)
        values = {"em": 100 * float(em.mean()), "f1": 100 * float(f1.mean())}
        return Scores(values=values, by_example=f1.astype(np.float32), missing=_missing(predictions))

    return scorer


def _pairs(examples: Columns, predictions: Sequence[Any], language: str) -> Scores:  # noqa: ARG001
    gold = pairs.gold_pairs(examples)
    found = {(int(english), int(foreign)) for english, foreign in predictions}
    by_example = np.asarray([pair in found for pair in sorted(gold)], np.float32)
    return Scores(values={"f1": pairs.pair_f1(found, gold)}, by_example=by_example, missing=0)


def _nearest(examples: Columns, predictions: Sequence[Any], language: str) -> Scores:  # noqa: ARG001
    answers = dict(predictions)
    gold = sorted(pairs.gold_pairs(examples))
    _check(gold, gold)
    right = np.asarray([answers.get(english) == foreign for english, foreign in gold], np.float32)
    missing = sum(english not in answers for english, _ in gold)
    return Scores(values={"accuracy": 100 * float(right.mean())}, by_example=right, missing=missing)


def _check(gold: Sequence[Any], predictions: Sequence[Any]) -> None:
    if not gold:
        raise ValueError("there are no examples to score")
    if len(gold) != len(predictions):
        raise ValueError(
            f"{len(predictions)} predictions for {len(gold)} examples; fill the missing with None"
        )


def _missing(predictions: Sequence[Any]) -> int:
    return sum(prediction is None for prediction in predictions)


SCORERS: Mapping[str, Scorer] = {
    "accuracy": _accuracy,
    "tokens": _tags("tokens"),
    "entities": _tags("entities"),
    "pos": _tags("pos"),
    "squad": _questions("squad"),
    "squad_v2": _questions("squad_v2"),
    "mlqa": _questions("mlqa"),
    "pairs": _pairs,
    "nearest": _nearest,
}
