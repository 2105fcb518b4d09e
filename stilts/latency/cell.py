"""One thing that is timed: a model's answer to a task at a batch size."""

import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from stilts import data
from stilts.data import Encoded
from stilts.latency import calls
from stilts.latency.sample import Sample
from stilts.latency.witness import Witness
from stilts.model.multitask import Model
from stilts.tasks import Task, types as task_types
from stilts.tasks.types import Coding


@dataclass(kw_only=True, slots=True)
class Cell:
    """A model, a head, a task in a language and a batch size; a subject of `stilts.latency.protocol`."""

    identity: dict[str, Any]
    """What every row of it says alike: the columns that tell it from other cells."""
    model: Model
    head: str
    task: Task
    queries: Encoded
    sample: Sample
    examples: list[dict[str, Any]]
    """The queries' texts, for timing the tokenizer."""
    coding: Coding
    batch_size: int
    device: str
    witness: Witness = field(init=False)

    def __post_init__(self) -> None:
        encoder = self.model.encoder
        self.witness = Witness(lambda: encoder.captured)

    @property
    def group(self) -> Hashable:
        """The cells that answer the same examples, in whatever language."""
        return self.task.name, self.batch_size

    @property
    def warm_calls(self) -> Sequence[int]:
        """Every batch once."""
        return range(len(self.sample.batches(self.batch_size)))

    def call(self, number: int) -> dict[str, Any]:
        """Answers the batch of this call and says what it took."""
        examples = self.sample.examples(number, self.batch_size)
        texts = [self.examples[one] for one in examples.tolist()]
        started = time.perf_counter_ns()
        task_types.load(self.task.type).encode(texts, self.coding)
        tokenize = time.perf_counter_ns() - started
        rows = self.sample.rows(examples)
        raw = data.collate(self.queries, rows)
        with torch.inference_mode():
            self.witness.begin()
            timing = (
                calls.on_cpu(self.model, self.head, raw, tokenize)
                if self.device == "cpu"
                else calls.on_gpu(self.model, self.head, raw, self.device, tokenize)
            )
            seen = self.witness.end()
        tokens = int(self.queries.num_tokens[rows].sum())
        return self.identity | {
            "query_id": int(examples[0]),
            "n_windows": len(rows),
            "real_tokens": tokens,
            "padded_tokens": timing.computed_tokens,
            "padding": self.model.encoder.padding,
            "max_len": self.task.max_length,
            "t_start_ns": timing.start,
            "wall_ns": timing.wall,
            "tokenize_ns": timing.tokenize,
            "pack_ns": timing.pack,
            "h2d_ns": timing.to_device,
            "device_ns": timing.device,
            "head_ns": timing.head,
            "d2h_ns": timing.to_host,
            "shape": tokens,
            **seen,
        }
