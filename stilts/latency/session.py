"""How long a query takes: raw timings of every call, in fresh processes, with the variants interleaved.

Per call: tokenise, to the device, encoder, head, back to the host. On a GPU CUDA events bound the encoder and
the head; the wall clock runs on both devices. Statistics belong to the tables: nothing is averaged here.
"""

import gc
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from hpc import ranks
from hpc.dtypes import DTYPES
from kernels.compiled import kernels_compiled
from stilts import data, tasks
from stilts.data import Encoded
from stilts.latency import calls
from stilts.latency.sample import Integers, Sample
from stilts.model import folder as models
from stilts.model.multitask import Model
from stilts.run import records
from stilts.run.folder import Progress, RunFolder
from stilts.run.provenance import processor_name
from stilts.run.settings import Attention
from stilts.run.specs import LatencySpec, RunSpec, TimedModel
from stilts.tasks import Task, types as task_types
from stilts.tasks.coding.pieces import open_tokenizer
from stilts.tasks.types import Coding


def measure(run: RunFolder, spec: RunSpec, asked: LatencySpec) -> None:
    """Carries out a run of the stage `latency`: one process, all variants, all rounds.

    A process that was interrupted starts over: timings of two processes are never joined.
    """
    Session(run, spec, asked).work()


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One thing that is timed: a model's answer to a task at a batch size."""

    id: str
    regime: str
    intermediate: str
    model: Model
    head: str
    task: Task
    queries: Encoded
    sample: Sample
    examples: list[dict[str, Any]]
    """The queries' texts, for timing the tokenizer."""
    coding: Coding
    batch_size: int


class Session:
    """One process's share of a latency study."""

    def __init__(self, run: RunFolder, spec: RunSpec, asked: LatencySpec) -> None:
        self.run, self.spec, self.asked = run, spec, asked
        self.settings = asked.protocol
        self.place = ranks.setup()
        self.loaded: dict[str, Model] = {}
        self.answering: dict[tuple[str, Attention], Model] = {}
        self.cells = list(self._cells())
        seed = f"{asked.seed}/{asked.process}"
        self.random = random.Random(seed)
        self.order = 0

    def work(self) -> None:
        """Warms every cell, then passes over all of them in a new order each round."""
        rounds = self.settings.rounds
        progress = Progress(self.run, total=rounds * len(self.cells), unit="blocks")
        for cell in self.cells:
            for number in range(self.settings.warmup):
                self._call(cell, cell.sample.examples(number, cell.batch_size))
        for round_ in range(rounds):
            self.random.shuffle(self.cells)
            rows: list[dict[str, Any]] = []
            for block, cell in enumerate(self.cells):
                rows += self._block(cell, round_, round_ * len(self.cells) + block)
                progress.at(round_ * len(self.cells) + block + 1, f"{cell.task.name} {cell.regime}")
            self._write(rows, round_)

    def _cells(self) -> Iterator[Cell]:
        for timed in self.asked.models:
            wanted = [self._model(timed.weights, attention) for attention in self.settings.attention]
            # Two back ends may come down to one where neither can run: that one is timed once.
            for model in {model.encoder.attention: model for model in wanted}.values():
                yield from self._cells_of(timed, model)

    def _model(self, run_id: str, attention: Attention) -> Model:
        """A run's model on a back end; parameters are loaded once, and nothing is compiled later."""
        if run_id not in self.loaded:
            weights = self.run.sibling(run_id).weights
            dtype = DTYPES[self.asked.dtype]
            self.loaded[run_id] = models.load(weights).to(self.place.device, dtype).eval()
        if (run_id, attention) not in self.answering:
            fast = self.loaded[run_id].for_inference(attention=attention)
            fast.encoder.warm_up()
            self.answering[run_id, attention] = fast
        return self.answering[run_id, attention]

    def _cells_of(self, timed: TimedModel, model: Model) -> Iterator[Cell]:
        asked, settings = self.asked, self.settings
        tokenizer_file = self.run.sibling(timed.weights).weights / "tokenizer.json"
        task = tasks.load(timed.target)
        queries = data.load(
            task,
            language=settings.language,
            split="test",
            tokenizer_file=tokenizer_file,
            max_length=task.max_length,
            sources=asked.sources,
            limit=asked.limit(task.name, "test"),
            cache=self.run.cache,
        )
        coding = Coding(
            tokenizer=open_tokenizer(tokenizer_file), max_length=task.max_length, labels=queries.labels
        )
        owners = np.asarray(queries.columns["example"])
        sample = Sample(owners, count=settings.queries, seed=asked.seed, process=asked.process)
        for batch_size in settings.batch_sizes:
            yield Cell(
                id=records.cell_id(
                    fingerprint=self.spec.parents[timed.weights],
                    task=task.name,
                    head=timed.head,
                    language=settings.language,
                    batch_size=batch_size,
                    dtype=asked.dtype,
                    impl=model.encoder.attention,
                    scenario=_scenario(batch_size),
                    device=_device_name(self.place.device),
                ),
                regime=timed.regime,
                intermediate=timed.intermediate,
                model=model,
                head=timed.head,
                task=task,
                queries=queries,
                sample=sample,
                examples=list(queries.examples),
                coding=coding,
                batch_size=batch_size,
            )

    def _block(self, cell: Cell, round_: int, block: int) -> list[dict[str, Any]]:
        rows = []
        gc.collect()
        gc.disable()
        try:
            for position in range(self.settings.calls):
                call = round_ * self.settings.calls + position
                examples = cell.sample.examples(call, cell.batch_size)
                timing = self._call(cell, examples)
                rows.append(self._row(cell, round_, block, position, examples, timing))
        finally:
            gc.enable()
        return rows

    def _call(self, cell: Cell, examples: Integers) -> calls.Timing:
        texts = [cell.examples[one] for one in examples.tolist()]
        started = time.perf_counter_ns()
        task_types.load(cell.task.type).encode(texts, cell.coding)
        tokenized = time.perf_counter_ns()
        raw = data.collate(cell.queries, cell.sample.rows(examples))
        encoder = cell.model.encoder
        before = kernels_compiled() + encoder.captured
        with torch.inference_mode():
            timed = calls.on_cpu if self.place.device == "cpu" else calls.on_gpu
            timing = timed(cell.model, cell.head, raw, self.place.device, tokenized - started)
        return replace(timing, compiled=kernels_compiled() + encoder.captured - before)

    def _row(
        self, cell: Cell, round_: int, block: int, position: int, examples: Integers, timing: calls.Timing
    ) -> dict[str, Any]:
        rows = cell.sample.rows(examples)
        tokens = int(cell.queries.num_tokens[rows].sum())
        self.order += 1
        on_cpu = self.place.device == "cpu"
        return {
            "run_id": self.spec.id,
            "cell_id": cell.id,
            "regime": cell.regime,
            "train_tasks": cell.intermediate,
            "seed": self.asked.seed,
            "target_task": cell.task.name,
            "lang": self.settings.language,
            "impl": cell.model.encoder.attention,
            "dtype": self.asked.dtype,
            "device_class": "cpu" if on_cpu else "cuda",
            "device_name": _device_name(self.place.device),
            "clock": "perf_counter" if on_cpu else "cuda_event",
            "scenario": _scenario(cell.batch_size),
            "heads": 1,
            "batch_size": cell.batch_size,
            "padding": cell.model.encoder.padding,
            "process_rep": self.asked.process,
            "round": round_,
            "block": block,
            "pos_in_block": position,
            "order_pos": self.order,
            "query_id": int(examples[0]),
            "n_windows": len(rows),
            "real_tokens": tokens,
            "padded_tokens": timing.computed_tokens,
            "max_len": cell.task.max_length,
            "t_start_ns": timing.start,
            "wall_ns": timing.wall,
            "tokenize_ns": timing.tokenize,
            "h2d_ns": timing.to_device,
            "device_ns": timing.device,
            "head_ns": timing.head,
            "d2h_ns": timing.to_host,
            "n_compiles": min(timing.compiled, 127),
            "is_warmup": position < self.settings.warmup,
            "valid": timing.invalid is None,
            "invalid_reason": timing.invalid,
        }

    def _write(self, rows: list[dict[str, Any]], round_: int) -> None:
        name = records.latency_shard_name(
            run_id=self.spec.id,
            cell=self.spec.fingerprint,
            rank=self.place.rank,
            process=self.asked.process,
            restart=0,
            sequence=round_,
        )
        records.write_shard(self.run.records / "latency", "latency", rows, name=name)


def _scenario(batch_size: int) -> str:
    return "single_stream" if batch_size == 1 else "batch"


def _device_name(device: str) -> str:
    return processor_name() if device == "cpu" else torch.cuda.get_device_name(device)
