"""The part of every evaluation that has the model, a grid's or the command's: cells in, records out."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from stilts import data, tasks
from stilts.data import Encoded
from stilts.evaluate import predict
from stilts.evaluate.fitting import BatchSizeFinder
from stilts.evaluate.loading import Loaded
from stilts.evaluate.predict import Predicted
from stilts.evaluate.retrieving import Retriever
from stilts.evaluate.store import Cell, Store, StoredCell, score_rows
from stilts.run.settings import Retrieval, Rules
from stilts.tasks import Task, metrics, types as task_types
from stilts.tasks.types import Given


class Evaluator:
    """A loaded model that answers cells.

    Args:
        loaded: the model, and its head for each task.
        store: where answers and scores are written.
        retrieval: how sentences become vectors, and vectors pairs.
        rules: whose hold where published code does otherwise.
        fitting: how large batches are.
        cache: folder of tokenised data.
    """

    def __init__(
        self,
        loaded: Loaded,
        store: Store,
        *,
        retrieval: Retrieval,
        rules: Rules,
        fitting: BatchSizeFinder,
        cache: Path,
    ) -> None:
        self._loaded, self._store, self._retrieval, self._rules = loaded, store, retrieval, rules
        self._fitting, self._cache = fitting, cache

    def answer(self, kept: StoredCell, *, write_scores: bool = True) -> list[dict[str, Any]]:
        """Answers a cell and writes it; returns its scores, one row for each value of the metric."""
        task, cell = tasks.load(kept.cell.task), kept.cell
        encoded = self._read(task, kept, cell.split, kept.rows)
        mines = bool(task.metric) and metrics.load(task.metric).mines
        dev = self._read(task, kept, "dev", kept.dev_rows) if mines else None
        answered, on_dev = self._fitting.run(
            lambda tokens: self._answered(task, cell, encoded, dev, tokens=tokens)
        )
        given = Given(
            examples=encoded.examples,
            labels=encoded.labels,
            values=answered.predictions,
            confidences=answered.confidences,
            by_example=answered.scored.by_example,
        )
        kind = task_types.load(task.type)
        self._store.put_answers(replace(kept, num_full=encoded.num_full), kind.rows(kind, given))
        if not write_scores:
            return []
        if dev is not None and on_dev is not None:
            rows = score_rows(kept, on_dev.scored, split="dev", data=dev.version, num_full=dev.num_full)
            self._store.put_scores(cell.name, rows, split="dev")
        rows = score_rows(
            kept, answered.scored, split=cell.split, data=encoded.version, num_full=encoded.num_full
        )
        self._store.put_scores(cell.name, rows)
        return rows

    def _answered(
        self, task: Task, cell: Cell, encoded: Encoded, dev: Encoded | None, *, tokens: int
    ) -> tuple[Predicted, Predicted | None]:
        """The answers, and those to the development set where a threshold was tuned on it."""
        model = self._loaded.model
        if task_types.load(task.type).head is not None:
            head = self._loaded.heads[cell.task]
            found = predict.answer(model, head, task, encoded, tokens_per_batch=tokens, rules=self._rules)
            return found, None
        retriever = Retriever(model, self._retrieval, self._rules, tokens_per_batch=tokens)
        if dev is None:
            return retriever.nearest(task, encoded), None
        mined = retriever.mine(task, dev, encoded)
        return mined.test, mined.dev

    def _read(self, task: Task, kept: StoredCell, split: str, rows: int | None) -> Encoded:
        return data.load(
            task,
            language=kept.cell.language,
            split=split,
            tokenizer_file=self._loaded.tokenizer_file,
            max_length=kept.cell.max_length,
            sources=kept.sources,
            limit=rows,
            cache=self._cache,
        )
