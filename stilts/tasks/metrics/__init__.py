"""Scores of predictions against examples, 0 to 100. No torch, nothing fetched.

`score(name, examples=..., predictions=..., language=...)` is what evaluation calls; `SCORERS` maps the name a
task gives to its function. `stilts.tasks.metrics.averages` goes on to language, task and group means.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpc.errors import unknown_name
from stilts.tasks.metrics import pairs, questions, tagging


@dataclass(frozen=True, kw_only=True, slots=True)
class Scored:
    """What a scorer finds in one language."""

    values: Mapping[str, float]
    """Metric to points, 0 to 100."""
    by_example: NDArray[np.float32]
    """The last metric of `values` by example, 0 to 1: F1 of an answer, share of right tags, right or not."""
    missing: int = 0
    """Examples without a prediction; each counts as wrong."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What a scorer looks at."""

    examples: Any
    """By column, in the schema of the task's kind: a `datasets.Dataset`, or a dict of lists."""
    predictions: Sequence[Any]
    confidences: Sequence[float] | NDArray[np.float32] | None
    language: str

    def column(self, name: str) -> list[Any]:
        """A column of the examples, as long as the predictions.

        Raises:
            ValueError: it is empty, or there are more or fewer predictions.
        """
        column = list(self.examples[name])
        if not column:
            raise ValueError("there are no examples to score")
        if len(column) != len(self.predictions):
            raise ValueError(
                f"{len(self.predictions)} predictions for {len(column)} examples; the missing ones are None"
            )
        return column

    @property
    def missing(self) -> int:
        """Number of missing predictions."""
        return sum(prediction is None for prediction in self.predictions)


def score(
    name: str,
    *,
    examples: Any,
    predictions: Sequence[Any],
    language: str,
    confidences: Sequence[float] | NDArray[np.float32] | None = None,
) -> Scored:
    """Scores predictions that stand in the order of the examples; None is a missing one.

    Args:
        name: one of `SCORERS`.
        examples: by column, in the schema of the task's kind.
        predictions: indexes (accuracy), lists of tags, texts, or pairs of rows (english, foreign).
        language: decides how MLQA normalises; no other scorer looks at it.
        confidences: for SQuAD v2.0, each answer's lead over "no answer": with them the scores are the best
            that any threshold gives, a number about this very set; without, an empty text is "no answer".

    Raises:
        UserError: there is no such scorer.
        ValueError: there are no examples, or more or fewer predictions than examples.
    """
    if name not in SCORERS:
        raise unknown_name("scorer", name, SCORERS)
    asked = Asked(examples=examples, predictions=predictions, confidences=confidences, language=language)
    return SCORERS[name](asked)


def _accuracy(asked: Asked) -> Scored:
    gold = asked.column("label")
    right = np.asarray([p == g for p, g in zip(asked.predictions, gold, strict=True)], np.float32)
    share = float(right.mean(dtype=np.float64))
    return Scored(values={"accuracy": 100 * share}, by_example=right, missing=asked.missing)


def _tags(scheme: tagging.Scheme) -> Callable[[Asked], Scored]:
    def scorer(asked: Asked) -> Scored:
        gold = asked.column("tags")
        filled = [["O"] * len(g) if p is None else p for p, g in zip(asked.predictions, gold, strict=True)]
        right, total = tagging.right_tags(gold, filled)
        values = {} if scheme == "tokens" else {"f1": tagging.chunk_f1(gold, filled, scheme=scheme)}
        right[[p is None for p in asked.predictions]] = 0
        values["accuracy"] = 100 * float(right.sum() / total.sum())
        return Scored(values=values, by_example=(right / total).astype(np.float32), missing=asked.missing)

    return scorer


def _questions(rules: questions.Rules) -> Callable[[Asked], Scored]:
    def scorer(asked: Asked) -> Scored:
        golds = [[answer["text"] for answer in answers] for answers in asked.column("answers")]
        predictions, best = list(asked.predictions), {}
        if rules == "squad_v2" and asked.confidences is not None:
            cut = questions.best_no_answer_threshold(asked.confidences, predictions, golds)
            best = {"em": cut.em, "f1": cut.f1}
            predictions = questions.with_no_answer(predictions, asked.confidences, threshold=cut.threshold)
        em, f1 = questions.score_answers(predictions, golds, rules=rules, language=asked.language)
        values = {"em": 100 * float(em.mean()), "f1": 100 * float(f1.mean())} | best
        return Scored(values=values, by_example=f1.astype(np.float32), missing=asked.missing)

    return scorer


def _pairs(asked: Asked) -> Scored:
    gold = pairs.gold_pairs(asked.examples)
    found = {(int(english), int(foreign)) for english, foreign in asked.predictions}
    by_example = np.asarray([pair in found for pair in sorted(gold)], np.float32)
    return Scored(values={"f1": pairs.pair_f1(found, gold)}, by_example=by_example)


def _nearest(asked: Asked) -> Scored:
    gold = sorted(pairs.gold_pairs(asked.examples))
    if not gold:
        raise ValueError("there are no examples to score")
    answers = {int(english): int(foreign) for english, foreign in asked.predictions}
    right = np.asarray([answers.get(english) == foreign for english, foreign in gold], np.float32)
    missing = sum(english not in answers for english, _ in gold)
    share = float(right.mean(dtype=np.float64))
    return Scored(values={"accuracy": 100 * share}, by_example=right, missing=missing)


SCORERS: Mapping[str, Callable[[Asked], Scored]] = {
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
