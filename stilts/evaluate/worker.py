"""The part of an evaluation that has the model: one cell after the other, in batches that fit into memory."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from hpc import ranks
from hpc.errors import UserError
from stilts import data, tasks
from stilts.data import Encoded
from stilts.evaluate import predict
from stilts.evaluate.loading import load
from stilts.evaluate.predict import DTYPES, Answered
from stilts.evaluate.retrieving import Retriever
from stilts.evaluate.rows import all_rows, score_rows
from stilts.evaluate.store import Cell, Kept
from stilts.model.pretrained import default_cache
from stilts.run.provenance import code_version
from stilts.tasks import Task

if TYPE_CHECKING:
    from stilts.evaluate.planning import Plan

FIRST_TOKENS = 131_072
"""What a GPU is tried with when the size of batches is found by itself."""
FEWEST_TOKENS = 512
CPU_TOKENS = 4096
"""On a CPU larger batches gain nothing and cost memory."""

T = TypeVar("T")


class Fitting:
    """Tokens a batch, halved whenever the device runs out of memory.

    Args:
        asked: `auto`, or the tokens of a batch, which are then never changed.
        device: where batches go.
        say: takes a line for the person who waits.
    """

    def __init__(self, asked: str, *, device: str, say: Callable[[str], None]) -> None:
        self._asked, self._device, self._say = asked, device, say
        on_cpu = device == "cpu"
        self.tokens = (CPU_TOKENS if on_cpu else FIRST_TOKENS) if asked == "auto" else int(asked)

    def run(self, work: Callable[[int], T]) -> T:
        """The result of `work(tokens)` with the most tokens that fit: the longest batches come first in it.

        Raises:
            UserError: the memory does not hold what was asked for, or not even the smallest batch.
        """
        while True:
            try:
                return work(self.tokens)
            except torch.OutOfMemoryError as error:
                if self._asked != "auto" or self.tokens // 2 < FEWEST_TOKENS:
                    raise UserError(
                        f"{self._device} has no memory for batches of {self.tokens} tokens: give a smaller "
                        "--batch-size, or auto",
                        code=1,
                    ) from error
            self.tokens //= 2
            if self._device != "cpu":
                torch.cuda.empty_cache()
            self._say(f"batches of {self.tokens} tokens from here on: more do not fit into the memory")


class Worker:
    """A loaded model that answers cells.

    Args:
        plan: what is asked.
        batch_size: `auto`, or tokens.
        say: takes a line for the person who waits.
    """

    def __init__(self, plan: "Plan", batch_size: str, say: Callable[[str], None]) -> None:
        self._plan = plan
        self._cache = default_cache() / "data"
        device = ranks.setup().device
        first = plan.cells[0].cell
        self._loaded = load(
            plan.checkpoint,
            plan.answers,
            device=device,
            dtype=DTYPES[first.dtype],
            attention="sdpa" if device == "cpu" else "triton",
            cache=default_cache(),
        )
        self._fitting = Fitting(batch_size, device=device, say=say)
        tokens = self._fitting.tokens
        say(f"model {plan.checkpoint.source}: {first.dtype} on {device}, {tokens} tokens a batch")

    def answer(self, kept: Kept, *, write_scores: bool) -> list[dict[str, Any]]:
        """Answers a cell and writes it; returns its scores, one row a metric."""
        task, cell, store = tasks.load(kept.cell.task), kept.cell, self._plan.store
        encoded = self._read(task, kept, cell.split)
        dev = self._read(task, kept, "dev") if task.scorer == "pairs" else None
        answered, on_dev = self._fitting.run(
            lambda tokens: self._answered(task, cell, encoded, dev, tokens=tokens)
        )
        full = Kept(
            cell=cell,
            sources=kept.sources,
            rows=kept.rows,
            num_full=encoded.num_full,
            common=kept.common,
        )
        store.put_answers(full, all_rows(task, encoded, answered))
        if not write_scores:
            return []
        common = {**kept.common, "model": cell.model, "code": code_version()}
        common |= {"target": task.name, "language": cell.language}
        if dev is not None and on_dev is not None:
            rows = score_rows(on_dev.scored, num_full=dev.num_full, **common, data=dev.version, split="dev")
            store.put_scores(cell.name, rows, split="dev")
        rows = score_rows(
            answered.scored, num_full=encoded.num_full, **common, data=encoded.version, split=cell.split
        )
        store.put_scores(cell.name, rows)
        return rows

    def _answered(
        self, task: Task, cell: Cell, encoded: Encoded, dev: Encoded | None, *, tokens: int
    ) -> tuple[Answered, Answered | None]:
        """The answers, and those to the development set where a threshold was tuned on it."""
        model = self._loaded.model
        if task.type != "retrieve":
            head = self._loaded.heads[cell.task]
            return predict.answer(model, head, task, encoded, tokens_per_batch=tokens), None
        retriever = Retriever(model, self._plan.retrieval, tokens_per_batch=tokens)
        if dev is None:
            return retriever.nearest(task, encoded), None
        mined = retriever.mine(task, dev, encoded)
        return mined.test, mined.dev

    def _read(self, task: Task, kept: Kept, split: str) -> Encoded:
        return data.load(
            task,
            language=kept.cell.language,
            split=split,
            tokenizer_file=self._loaded.tokenizer_file,
            max_length=kept.cell.max_length,
            sources=kept.sources,
            limit=kept.rows,
            cache=self._cache,
        )
