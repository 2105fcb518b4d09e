"""Zero-shot evaluation of one set of weights: predictions and scores by target and language.

Each (target, language) is written as soon as it is done: a run that was killed computes what is missing.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpc import ranks
from stilts import data, metrics, model as models, predict, records, tasks
from stilts.config import Evaluation, Retrieval
from stilts.data import Encoded
from stilts.decode import decode
from stilts.kinds.retrieve import ENGLISH, FOREIGN
from stilts.model import Model
from stilts.predict import DTYPES, Answered
from stilts.retrieval import best_threshold, mine, nearest
from stilts.runs import Progress, RunFolder, RunSpec
from stilts.tasks import Task


def evaluate(run: RunFolder, spec: RunSpec) -> None:
    """Carries out a run of kind `evaluate`."""
    Evaluator(run, spec).work()


class Evaluator:
    """One set of weights against all its targets."""

    def __init__(self, run: RunFolder, spec: RunSpec) -> None:
        self.run, self.spec = run, spec
        asked = spec.fields
        self.settings: Evaluation = decode(Evaluation, dict(asked["evaluation"]), spec.id)
        self.retrieval: Retrieval = decode(Retrieval, dict(asked.get("retrieval", {})), spec.id)
        self.weights = run.sibling(spec.needs[0]).weights
        device = ranks.setup().device
        model = models.load(self.weights).to(device, DTYPES[self.settings.dtype]).eval()
        self.model: Model = model.for_inference(attention=self.settings.attention)

    def work(self) -> None:
        """Answers every cell that has no scores yet."""
        cells = [
            (tasks.load(name), answer["head"], answer["note"], language)
            for name, answer in self.spec.fields["targets"].items()
            for language in answer["languages"]
        ]
        progress = Progress(self.run, total=len(cells), unit="languages")
        for number, (task, head, note, language) in enumerate(cells):
            progress.at(number, f"{task.name} {language}")
            shard = f"{task.name}-{language}"
            if not (self.run.records / "scores" / f"{shard}.arrow").exists():
                self._answer(task, head, note, language, shard)
        progress.at(len(cells))

    def _answer(self, task: Task, head: str, note: str, language: str, shard: str) -> None:
        encoded = self._read(task, language, "test")
        if task.scorer == "pairs":
            answered = self._mine(task, encoded, note, shard)
        elif task.kind == "retrieve":
            answered = self._nearest(task, encoded)
        else:
            models.head_of(self.model, head, self.weights)
            answered = predict.answer(
                self.model, head, task, encoded, tokens_per_batch=self.settings.tokens_per_batch
            )
        self._write_predictions(task, encoded, answered, shard)
        self._write_scores(task, "test", note, encoded, answered, shard)

    def _read(self, task: Task, language: str, split: str) -> Encoded:
        return data.load(
            task,
            language=language,
            split=split,
            tokenizer_file=self.weights / "tokenizer.json",
            max_length=task.max_length,
            sources=self.spec.fields["sources"],
            limit=self.spec.fields["limits"][task.name][split],
            cache=self.run.cache,
        )

    def _nearest(self, task: Task, encoded: Encoded) -> Answered:
        """The nearest foreign sentence of each English one."""
        english, foreign = self._sides(task, encoded)
        near = nearest(english.vectors, foreign.vectors)
        pairs = list(zip(english.rows.tolist(), foreign.rows[near].tolist(), strict=True))
        return _scored(task, encoded, pairs, np.einsum("nd,nd->n", english.vectors, foreign.vectors[near]))

    def _mine(self, task: Task, encoded: Encoded, note: str, shard: str) -> Answered:
        """Pairs above the threshold that suits the development set best.

        The development set's own score is written too: it is what an intermediate task is chosen by.
        """
        dev = self._read(task, encoded.language, "dev")
        pairs, scores = self._candidates(task, dev)
        gold = metrics.pairs.gold_pairs(dev.examples)
        threshold = best_threshold(scores.tolist(), [pair in gold for pair in pairs], len(gold))
        self._write_scores(
            task, "dev", note, dev, _above(threshold, task, dev, pairs, scores), f"{shard}-dev"
        )
        return _above(threshold, task, encoded, *self._candidates(task, encoded))

    def _candidates(self, task: Task, encoded: Encoded) -> tuple[list[tuple[int, int]], NDArray[np.float32]]:
        english, foreign = (side.distinct() for side in self._sides(task, encoded))
        found = mine(english.vectors, foreign.vectors, neighbours=self.retrieval.neighbours)
        rows = zip(
            english.rows[found.rows[:, 0]].tolist(), foreign.rows[found.rows[:, 1]].tolist(), strict=True
        )
        return list(rows), found.scores

    def _sides(self, task: Task, encoded: Encoded) -> "tuple[Side, Side]":
        vectors = predict.vectors(
            self.model,
            task,
            encoded,
            layer=self.retrieval.layer,
            pooling=self.retrieval.pooling,
            tokens_per_batch=self.settings.tokens_per_batch,
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

    def _write_predictions(self, task: Task, encoded: Encoded, answered: Answered, shard: str) -> None:
        common = {
            "run_id": self.spec.id,
            "cell_id": records.cell_id(
                fingerprint=self.spec.fingerprint, target=task.name, language=encoded.language
            ),
            "target": task.name,
            "language": encoded.language,
            "split": "test",
        }
        rows = [common | row for row in _prediction_rows(task, encoded, answered)]
        records.write_shard(self.run.predictions, "predictions", rows, name=shard)

    def _write_scores(
        self, task: Task, split: str, note: str, encoded: Encoded, answered: Answered, shard: str
    ) -> None:
        fields, scored = self.spec.fields, answered.scored
        count = len(scored.by_example)
        rows = [
            {
                "run_id": self.spec.id,
                "study": self.spec.study,
                **{name: fields[name] for name in ("regime", "intermediate", "seed")},
                "target": task.name,
                "language": encoded.language,
                "split": split,
                "metric": metric,
                "value": value,
                "n": count,
                "n_full": max(count, encoded.num_full),
                "note": note,
            }
            for metric, value in scored.values.items()
        ]
        records.write_shard(self.run.records / "scores", "scores", rows, name=shard)


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


def _scored(
    task: Task, encoded: Encoded, pairs: list[tuple[int, int]], confidences: NDArray[np.float32]
) -> Answered:
    scored = metrics.score(
        task.scorer, examples=encoded.examples, predictions=pairs, language=encoded.language
    )
    return Answered(predictions=pairs, confidences=confidences, scored=scored)


def _above(
    threshold: float,
    task: Task,
    encoded: Encoded,
    pairs: list[tuple[int, int]],
    scores: NDArray[np.float32],
) -> Answered:
    kept = scores >= threshold
    return _scored(
        task, encoded, [pair for pair, keep in zip(pairs, kept, strict=True) if keep], scores[kept]
    )


def _prediction_rows(task: Task, encoded: Encoded, answered: Answered) -> list[dict[str, Any]]:
    """One row an example, gold and predicted as text."""
    examples, scored = encoded.examples, answered.scored
    if task.kind == "retrieve":
        return _pair_rows(examples, answered)
    predicted = [_as_text(value, encoded.labels) for value in answered.predictions]
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


def _pair_rows(examples: Any, answered: Answered) -> list[dict[str, Any]]:
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
    return [_as_text(value, labels) for value in examples["tags" if task.kind == "tag" else "label"]]


def _as_text(value: Any, labels: tuple[str, ...]) -> str:
    if isinstance(value, int | np.integer):
        return labels[value] if labels else str(value)
    return value if isinstance(value, str) else " ".join(value)
