"""How long a query takes: raw timings of every call, in fresh processes, with the variants interleaved.

Per call: tokenise, to the device, encoder, head, back to the host. On a GPU CUDA events bound the encoder and
the head; the wall clock runs on both devices. Statistics belong to the tables: nothing is averaged here.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import torch

from hpc import ranks
from hpc.dtypes import DTYPES
from hpc.telemetry import Watch
from stilts import data, tasks
from stilts.latency import gate, protocol
from stilts.latency.cell import Cell
from stilts.latency.sample import Sample
from stilts.model import folder as models
from stilts.model.multitask import Model
from stilts.run import records
from stilts.run.folder import RunFolder
from stilts.run.progress import Progress
from stilts.run.provenance import processor_name
from stilts.run.settings import Attention
from stilts.run.specs import LatencySpec, RunSpec, TimedModel
from stilts.tasks.coding.pieces import open_tokenizer
from stilts.tasks.types import Coding


def measure(run: RunFolder, spec: RunSpec, asked: LatencySpec) -> None:
    """Carries out a run of the stage `latency`: one process, all variants, all rounds.

    A process that was interrupted starts over: timings of two processes are never joined.
    """
    Session(run, spec, asked).work()


class Session:
    """One process's share of a latency study."""

    def __init__(self, run: RunFolder, spec: RunSpec, asked: LatencySpec) -> None:
        self.run, self.spec, self.asked = run, spec, asked
        self.settings = asked.protocol
        self.place = ranks.setup()
        self.loaded: dict[str, Model] = {}
        self.answering: dict[tuple[str, Attention], Model] = {}
        self.cells = list(self._cells())

    def work(self) -> None:
        """Times every cell, with the machine watched, and writes a shard a round."""
        asked, settings = self.asked, self.settings
        if asked.process == 1:
            self._write("gate", list(self._examined()), 0)
        progress = Progress(self.run, total=(settings.rounds + 1) * len(self.cells), unit="blocks")
        with Watch() as watch:
            rows: list[protocol.Row] = []
            found = protocol.steps(self.cells, settings, process=asked.process, seed=asked.seed)
            for done, step in enumerate(found, 1):
                rows += step.rows
                assert isinstance(step.subject, Cell)
                progress.at(done, f"{step.subject.task.name} {step.subject.identity['regime']}")
                if done % len(self.cells) == 0:
                    self._write("latency", protocol.judged(rows, watch), step.round + 1)
                    rows = []
            readings = watch.readings()
            self._write("telemetry", protocol.telemetry_rows(self.spec.id, asked.process, readings), 0)

    def _cells(self) -> Iterator[Cell]:
        for timed in self.asked.models:
            wanted = [self._model(timed.weights, attention) for attention in self.settings.attention]
            # Two back ends may come down to one where neither can run: that one is timed once.
            models_ = {model.encoder.attention: model for model in wanted}.values()
            for model, language in product(models_, self.settings.languages):
                yield from self._cells_of(timed, model, language)

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

    def _examined(self) -> Iterator[protocol.Row]:
        """Whether what is timed answers as eager fp32 does; once in a study, whose processes are alike."""
        references: dict[str, Model] = {}
        for timed in self.asked.models:
            if not timed.head:
                continue
            if timed.weights not in references:
                folder = self.run.sibling(timed.weights).weights
                references = {timed.weights: models.load(folder).to(self.place.device).eval()}
            for attention, language in product(self.settings.attention, self.settings.languages):
                fast = self._model(timed.weights, attention)
                told = {
                    name: value
                    for name, value in self._identity(timed, fast, 1, language).items()
                    if name not in ("cell_id", "clock", "scenario", "heads", "batch_size")
                }
                queries = self._queries(timed, language, limit=self.settings.queries)
                task = tasks.load(timed.target)
                yield told | gate.examine(references[timed.weights], fast, timed.head, task, queries)

    def _queries(self, timed: TimedModel, language: str, *, limit: int | None) -> data.Encoded:
        asked, task = self.asked, tasks.load(timed.target)
        own = asked.limit(task.name, "test")
        return data.load(
            task,
            language=language,
            split="test",
            tokenizer_file=self.run.sibling(timed.weights).weights / "tokenizer.json",
            max_length=task.max_length,
            sources=asked.sources,
            limit=min((one for one in (own, limit) if one is not None), default=None),
            cache=self.run.cache,
        )

    def _cells_of(self, timed: TimedModel, model: Model, language: str) -> Iterator[Cell]:
        asked, settings = self.asked, self.settings
        tokenizer_file = self.run.sibling(timed.weights).weights / "tokenizer.json"
        task = tasks.load(timed.target)
        queries = self._queries(timed, language, limit=None)
        coding = Coding(
            tokenizer=open_tokenizer(tokenizer_file), max_length=task.max_length, labels=queries.labels
        )
        owners = np.asarray(queries.columns["example"])
        sample = Sample(owners, count=settings.queries, seed=asked.seed, process=asked.process)
        for batch_size in settings.batch_sizes:
            yield Cell(
                identity=self._identity(timed, model, batch_size, language),
                model=model,
                head=timed.head,
                task=task,
                queries=queries,
                sample=sample,
                examples=list(queries.examples),
                coding=coding,
                batch_size=batch_size,
                device=self.place.device,
            )

    def _identity(self, timed: TimedModel, model: Model, batch_size: int, language: str) -> dict[str, Any]:
        on_cpu = self.place.device == "cpu"
        told = {
            "seed": self.asked.seed,
            "target_task": timed.target,
            "lang": language,
            "impl": model.encoder.attention,
            "dtype": self.asked.dtype,
            "device_class": "cpu" if on_cpu else "cuda",
            "device_name": processor_name() if on_cpu else torch.cuda.get_device_name(self.place.device),
            "clock": "perf_counter" if on_cpu else "cuda_event",
            "scenario": "single_stream" if batch_size == 1 else "batch",
            "heads": 1,
            "batch_size": batch_size,
        }
        weights = self.spec.parents[timed.weights]
        return told | {
            "run_id": self.spec.id,
            "regime": timed.regime,
            "train_tasks": timed.intermediate,
            "cell_id": records.cell_id(**told, weights=weights, head=timed.head),
        }

    def _write(self, kind: str, rows: list[protocol.Row], sequence: int) -> None:
        if not rows:
            return
        name = records.latency_shard_name(
            run_id=self.spec.id,
            cell=self.spec.fingerprint,
            rank=self.place.rank,
            process=self.asked.process,
            restart=0,
            sequence=sequence,
        )
        records.write_shard(self.run.records / kind, kind, rows, name=name)
