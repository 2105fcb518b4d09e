"""Retrieval with one encoder: sentences become vectors, vectors become pairs, pairs are scored."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stilts.data import Encoded
from stilts.evaluate import predict
from stilts.evaluate.predict import Predicted
from stilts.evaluate.retrieval import best_threshold, mine, nearest
from stilts.model.multitask import Model
from stilts.run.settings import OURS, Retrieval, Rules
from stilts.tasks import Task, metrics
from stilts.tasks.metrics.pairs import gold_pairs
from stilts.tasks.types.retrieve import ENGLISH, FOREIGN


class Side:
    """The sentences of one language of a pool.

    Args:
        rows: their examples.
        vectors: [N, d].
        texts: the sentences.
    """

    def __init__(self, *, rows: NDArray[np.int32], vectors: NDArray[np.float32], texts: list[str]) -> None:
        self.rows, self.vectors, self.texts = rows, vectors, texts

    def distinct(self) -> "Side":
        """The first of equal sentences only: mining would pair the copies at random."""
        first = {text: number for number, text in reversed(list(enumerate(self.texts)))}
        kept = np.asarray(sorted(first.values()))
        return Side(
            rows=self.rows[kept], vectors=self.vectors[kept], texts=[self.texts[number] for number in kept]
        )

    def repeated(self) -> set[int]:
        """Rows whose sentence stands here more than once."""
        counts = Counter(self.texts)
        return {row for row, text in zip(self.rows.tolist(), self.texts, strict=True) if counts[text] > 1}


@dataclass(frozen=True, kw_only=True, slots=True)
class Mined:
    """What mining finds in both sets."""

    dev: Predicted
    """The development set's own pairs: what an intermediate task is chosen by."""
    test: Predicted


class Retriever:
    """Answers the tasks without a head.

    Args:
        model: in eval mode, on its device.
        settings: which vectors are compared, and how.
        rules: whose hold in mining.
        tokens_per_batch: largest batch, in tokens.
    """

    def __init__(
        self, model: Model, settings: Retrieval, rules: Rules = OURS, *, tokens_per_batch: int
    ) -> None:
        self.model, self.settings, self.rules = model, settings, rules
        self.tokens_per_batch = tokens_per_batch

    def nearest(self, task: Task, encoded: Encoded) -> Predicted:
        """The nearest foreign sentence of each English one."""
        english, foreign = self.sides(task, encoded)
        near = nearest(english.vectors, foreign.vectors)
        pairs = list(zip(english.rows.tolist(), foreign.rows[near].tolist(), strict=True))
        return _scored(task, encoded, pairs, np.einsum("nd,nd->n", english.vectors, foreign.vectors[near]))

    def mine(self, task: Task, dev: Encoded, test: Encoded) -> Mined:
        """Pairs above the threshold that suits the development set best."""
        pairs, scores = self._candidates(task, dev)
        gold = gold_pairs(dev.examples)
        right = [pair in gold for pair in pairs]
        threshold = best_threshold(scores.tolist(), right, len(gold))
        if self.rules.threshold == "xtreme" and not any(right):
            threshold = 0.0
        return Mined(
            dev=_above(threshold, task, dev, pairs, scores),
            test=_above(threshold, task, test, *self._candidates(task, test)),
        )

    def sides(self, task: Task, encoded: Encoded) -> tuple[Side, Side]:
        """The English sentences and the foreign ones."""
        vectors = predict.vectors(
            self.model,
            task,
            encoded,
            layer=self.settings.layer,
            pooling=self.settings.pooling,
            tokens_per_batch=self.tokens_per_batch,
        )
        side, example = np.asarray(encoded.columns["side"]), np.asarray(encoded.columns["example"])
        texts = {ENGLISH: encoded.examples["english"], FOREIGN: encoded.examples["foreign"]}
        english, foreign = (
            Side(
                rows=example[side == which],
                vectors=vectors[side == which],
                texts=[texts[which][row] for row in example[side == which].tolist()],
            )
            for which in (ENGLISH, FOREIGN)
        )
        return english, foreign

    def _candidates(self, task: Task, encoded: Encoded) -> tuple[list[tuple[int, int]], NDArray[np.float32]]:
        whole = self.sides(task, encoded)
        english, foreign = (side.distinct() for side in whole)
        found = mine(english.vectors, foreign.vectors, neighbours=self.settings.neighbours)
        rows = zip(
            english.rows[found.rows[:, 0]].tolist(), foreign.rows[found.rows[:, 1]].tolist(), strict=True
        )
        pairs = list(rows)
        if self.rules.duplicates == "ours":
            return pairs, found.scores
        twice = [side.repeated() for side in whole]
        kept = [n for n, pair in enumerate(pairs) if pair[0] not in twice[0] and pair[1] not in twice[1]]
        return [pairs[n] for n in kept], found.scores[kept]


def _scored(
    task: Task, encoded: Encoded, pairs: list[tuple[int, int]], confidences: NDArray[np.float32]
) -> Predicted:
    scored = metrics.score(
        task.metric, examples=encoded.examples, predictions=pairs, language=encoded.language
    )
    return Predicted(predictions=pairs, confidences=confidences, scored=scored)


def _above(
    threshold: float,
    task: Task,
    encoded: Encoded,
    pairs: list[tuple[int, int]],
    scores: NDArray[np.float32],
) -> Predicted:
    kept = scores >= threshold
    return _scored(
        task, encoded, [pair for pair, keep in zip(pairs, kept, strict=True) if keep], scores[kept]
    )
