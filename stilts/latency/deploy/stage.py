"""The stage `deploy`: one fresh process that serves all targets in every way there is, side by side."""

import random
import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hpc.telemetry import Watch
from stilts import tasks
from stilts.latency import gate, protocol
from stilts.latency.deploy import cold, layouts, server
from stilts.latency.deploy.layouts import Layout, Swapped
from stilts.latency.deploy.loading import Loader, forget
from stilts.latency.deploy.place import Place, loader_of
from stilts.latency.deploy.traffic import Query, Request, test_set
from stilts.latency.sample import Sample
from stilts.latency.witness import Witness
from stilts.model.tensors import WEIGHTS
from stilts.run import records
from stilts.run.folder import RunFolder
from stilts.run.progress import Progress
from stilts.run.settings import Precision
from stilts.run.specs import DeploySpec, RunSpec


def measure(run: RunFolder, spec: RunSpec, asked: DeploySpec) -> None:
    """Carries out a run of the stage `deploy`.

    First each way to serve alone in a process of its own: memory and cold start. Then all of them side by
    side: texts that need several tasks, queries that arrive at a rate, and what bringing a model takes.
    """
    Session(Place.of(run, spec), asked).work()


class Session:
    """One process's share."""

    def __init__(self, place: Place, asked: DeploySpec) -> None:
        self.place, self.asked, self.settings = place, asked, asked.protocol
        self.chance = random.Random(f"{asked.seed}/{asked.process}/deploy")
        self.order = 0
        sizes = len(layouts.NAMES) * (
            1 + len(self.settings.texts) * (self.settings.rounds + 1) + self.settings.trials + 1
        )
        total = len(self.settings.dtypes) * (sizes + 1)
        self.progress = Progress(place.run, total=total, unit="blocks")
        self.done = 0

    def work(self) -> None:
        """Everything, by type of number; one shard each."""
        self._write(
            "memory", [self._alone(name, dtype) for dtype in self.settings.dtypes for name in self._names()]
        )
        if self.asked.process == 1 and not self.settings.lengths:
            self._write("gate", [row for dtype in self.settings.dtypes for row in self._examined(dtype)])
        with Watch() as watch:
            for number, dtype in enumerate(self.settings.dtypes):
                rows = self._rows(dtype)
                self._write("serving", protocol.judged(rows, watch), number)
            readings = watch.readings()
            self._write("telemetry", protocol.telemetry_rows(self.place.id, self.asked.process, readings))

    def _names(self) -> list[layouts.Name]:
        return self.chance.sample(layouts.NAMES, len(layouts.NAMES))

    def _alone(self, name: layouts.Name, dtype: Precision) -> dict[str, Any]:
        told = cold.measure(self.place.run.path, name, dtype)
        self._advance(f"{name} alone, {dtype}")
        return self._identity(name, dtype) | told

    def _examined(self, dtype: Precision) -> Iterator[protocol.Row]:
        """Whether each model answers as it does in eager fp32; once in a study."""
        loader, whole = loader_of(self.place, dtype), loader_of(self.place, "fp32")
        for timed in (*self.asked.shared, *self.asked.apart):
            reference, fast = whole.on_host([timed]).to(self.place.device), loader.on_device([timed])
            for language in self.settings.languages:
                queries = test_set(self.place.run, self.asked, timed, language)
                yield {
                    "run_id": self.place.id,
                    "regime": timed.regime,
                    "train_tasks": timed.intermediate,
                    "seed": self.asked.seed,
                    "target_task": timed.target,
                    "lang": language,
                    "impl": fast.encoder.attention,
                    "dtype": dtype,
                    "device_class": "cpu" if self.place.device == "cpu" else "cuda",
                    "device_name": self.place.device_name,
                } | gate.examine(reference, fast, timed.head, tasks.load(timed.target), queries)

    def _rows(self, dtype: Precision) -> list[protocol.Row]:
        loader = loader_of(self.place, dtype)
        made = {
            name: layouts.make(name, self.asked.shared if name == "shared" else self.asked.apart, loader)
            for name in layouts.NAMES
        }
        rows = list(self._texts(made, dtype))
        for name in self._names():
            rows += self._served(made[name], dtype)
        swapped = made["swapped"]
        assert isinstance(swapped, Swapped)
        rows += self._swaps(swapped, loader, dtype)
        return rows

    def _texts(self, made: Mapping[layouts.Name, Layout], dtype: Precision) -> Iterator[protocol.Row]:
        settings = self.settings
        texts = self.place.traffic.texts(settings.queries)
        sample = Sample(
            np.arange(len(texts)), count=len(texts), seed=self.asked.seed, process=self.asked.process
        )
        subjects = [
            Texts(
                identity=self._identity(layout.name, dtype) | {"impl": layout.attention},
                layout=layout,
                texts=texts,
                sample=sample,
                targets=settings.targets,
                count=count,
            )
            for count in settings.texts
            for layout in made.values()
        ]
        for step in protocol.steps(subjects, settings, process=self.asked.process, seed=self.asked.seed):
            assert isinstance(step.subject, Texts)
            self._advance(f"{step.subject.layout.name}, texts of {step.subject.count} tasks, {dtype}")
            yield from map(self._numbered, step.rows)

    def _served(self, layout: Layout, dtype: Precision) -> Iterator[protocol.Row]:
        settings, traffic_ = self.settings, self.place.traffic
        identity = self._identity(layout.name, dtype) | {"impl": layout.attention}

        def trial(rate: float) -> server.Trial:
            # The same queries at every rate and in every layout.
            requests = traffic_.requests(settings.requests, "server")
            arrivals = (
                traffic_.arrivals(len(requests), rate, "server")
                if np.isfinite(rate)
                else np.zeros(len(requests))
            )
            return server.serve(layout, requests, arrivals, batch=settings.batch, rate=rate)

        # Once for nothing: every shape of the traffic has been seen then.
        trial(float("inf"))
        trials = server.search(
            trial, bound_ms=settings.bound_ms, share=settings.in_time, steps=settings.trials
        )
        for number, found in enumerate(trials):
            self._advance(f"{layout.name}, {found.rate:.1f} queries/s, {dtype}")
            for position, row in enumerate(found.rows):
                place = {
                    "round": number, "block": number, "pos_in_block": position, "is_warmup": False,
                    "first_shape": False, "place": "", "process_rep": self.asked.process,
                }  # fmt: skip
                yield self._numbered(identity | place | row)

    def _swaps(self, layout: Swapped, loader: Loader, dtype: Precision) -> Iterator[protocol.Row]:
        """What bringing a model of each target takes, from each place, in random order."""
        identity = self._identity(layout.name, dtype)
        weights = {one.target: one for one in self.asked.apart}
        witness = Witness()
        asked = [(target, place) for target in layout.waiting for place in layouts.PLACES]
        for position, (target, place) in enumerate(self.chance.sample(asked, len(asked))):
            file = loader.folder(weights[target].weights) / WEIGHTS
            if place == "disk":
                forget(file)
            elif place == "cache":
                file.read_bytes()
            witness.begin()
            start = time.perf_counter_ns()
            model = layout.waiting[target]
            layout.put(model if place == "host" else loader.on_host([weights[target]]))
            spent = time.perf_counter_ns() - start
            seen = witness.end()
            # From disk, pages that come from disk are what is measured.
            seen["major_faults"] = seen["major_faults"] if place == "host" else 0
            yield self._numbered(
                identity
                | {
                    "impl": layout.attention, "scenario": "swap", "place": place, "heads": 1, "rate": 0.0,
                    "process_rep": self.asked.process, "round": 0, "block": 0, "pos_in_block": position,
                    "query_id": 0, "task": target, "batch_size": 1, "real_tokens": 0, "t_start_ns": start,
                    "wall_ns": spent, "queue_ns": 0, "swap_ns": spent, "is_warmup": False,
                    "first_shape": False, **seen,
                }
            )  # fmt: skip
        self._advance(f"swaps, {dtype}")

    def _identity(self, name: layouts.Name, dtype: Precision) -> dict[str, Any]:
        return {
            "run_id": self.place.id,
            "layout": name,
            "dtype": dtype,
            "device_class": "cpu" if self.place.device == "cpu" else "cuda",
            "device_name": self.place.device_name,
            "process_rep": self.asked.process,
        }

    def _numbered(self, row: protocol.Row) -> protocol.Row:
        """Its place among all calls of the process."""
        self.order += 1
        return row | {"order_pos": self.order}

    def _advance(self, note: str) -> None:
        self.done += 1
        self.progress.at(self.done, note)

    def _write(self, kind: str, rows: Sequence[protocol.Row], sequence: int = 0) -> None:
        name = f"{kind}-{self.place.id}-{sequence:05}"
        records.write_shard(self.place.run.records / kind, kind, rows, name=name)


@dataclass(kw_only=True)
class Texts:
    """Texts that need several tasks each, answered by one layout; a subject of the protocol."""

    identity: dict[str, Any]
    layout: Layout
    texts: Sequence[Query]
    sample: Sample
    targets: Sequence[str]
    count: int
    """Tasks of a text."""
    witness: Witness = field(default_factory=Witness)

    @property
    def group(self) -> Hashable:
        """Layouts are compared on the same texts and tasks."""
        return self.count

    @property
    def warm_calls(self) -> Sequence[int]:
        """Every text once."""
        return range(len(self.texts))

    def call(self, number: int) -> dict[str, Any]:
        """One text through so many tasks; which ones changes from call to call."""
        (chosen,) = self.sample.examples(number, 1).tolist()
        query = self.texts[chosen]
        targets = tuple(self.targets[(chosen + n) % len(self.targets)] for n in range(self.count))
        self.witness.begin()
        start = time.perf_counter_ns()
        swapped = self.layout.answer([Request(query=query, targets=targets)])
        wall = time.perf_counter_ns() - start
        return self.identity | {
            "scenario": "text",
            "place": "",
            "heads": self.count,
            "rate": 0.0,
            "query_id": chosen,
            "task": "+".join(targets),
            "batch_size": 1,
            "real_tokens": len(query.ids),
            "t_start_ns": start,
            "wall_ns": wall,
            "queue_ns": 0,
            "swap_ns": swapped,
            "shape": len(query.ids),
            **self.witness.end(),
        }
