"""Runs a plan on this machine: several runs side by side, those that measure alone."""

import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from hpc.errors import Stopped, UserError
from hpc.graph import Graph
from hpc.jobs import Event, Node, Outcome, Shape, Watch
from hpc.local.client import ForkServer, thread_environment
from hpc.local.machine import Capacity, available_cpus, total_memory_gb
from hpc.local.signals import StopSignals
from hpc.settings import Range


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalSettings:
    """The `[local]` table of a cluster file."""

    workers: Annotated[int, Range(least=1, most=4096)] | Literal["auto"] = "auto"
    """Ranks at a time; `auto`: as many as the CPUs carry with `threads_per_worker` each."""
    threads_per_worker: Annotated[int, Range(least=1, most=4096)] = 1
    gpus: tuple[Annotated[int, Range(least=0, most=1023)], ...] = ()
    """Devices to hand out to runs whose shape asks for GPUs; runs see no other."""
    grace_seconds: Annotated[float, Range(least=0, most=3600)] = 10.0
    """From SIGTERM to SIGKILL when the launcher is interrupted."""

    def __post_init__(self) -> None:
        if len(set(self.gpus)) < len(self.gpus):
            raise UserError(f"gpus names a device twice: {list(self.gpus)}")

    @property
    def num_workers(self) -> int:
        """`workers`, with `auto` resolved on this machine."""
        if self.workers == "auto":
            return max(1, available_cpus() // self.threads_per_worker)
        return self.workers

    def refuse_if_impossible(self, name: str, shape: Shape) -> None:
        """Refuses what this machine can never hold.

        Raises:
            UserError: what the run of that name wants, and what there is.
        """
        if shape.nodes > 1:
            raise UserError(f"{name} wants {shape.nodes} nodes; a local cluster is one machine")
        if shape.gpus_per_node > len(self.gpus):
            raise UserError(
                f"{name} wants {shape.gpus_per_node} GPUs but the cluster file lists "
                f"{len(self.gpus)}; see gpus in its [local] table"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalExecutor:
    """Executor for one machine.

    Killing the launcher, even with SIGKILL, ends every process it started; a new launch runs what is missing.
    """

    settings: LocalSettings = LocalSettings()
    preload: tuple[str, ...] = ()
    """Modules imported once, before the first run is forked. They must not start threads."""
    environment: Mapping[str, str] = field(default_factory=dict)
    log: Path
    """Takes what importing the preloaded modules prints."""

    def run(self, nodes: Sequence[Node], watch: Watch) -> Outcome:
        """See `hpc.jobs.Executor`."""
        graph = Graph(nodes)
        for node in graph.order:
            self.settings.refuse_if_impossible(node.name, node.shape)
        with StopSignals() as stop, self._server() as server:
            whole = self._capacity()
            _Session(
                executor=self, graph=graph, server=server, whole=whole, free=self._capacity(), watch=watch
            ).run(stop)
        return Outcome(states=graph.states)

    def _server(self) -> ForkServer:
        environment = {
            "CUDA_VISIBLE_DEVICES": "",
            # Asking whether CUDA is there must not initialise it: a forked copy could not use it.
            "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
            **thread_environment(self.settings.threads_per_worker),
            **self.environment,
        }
        if self.settings.gpus:
            environment["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, self.settings.gpus))
        else:
            environment["DS_ACCELERATOR"] = "cpu"
        return ForkServer(preload=self.preload, environment=environment, log=self.log)

    def _capacity(self) -> Capacity:
        return Capacity(
            workers=self.settings.num_workers, memory_gb=total_memory_gb(), gpus=list(self.settings.gpus)
        )


@dataclass(kw_only=True)
class _Session:
    """One plan on its way."""

    executor: LocalExecutor
    graph: Graph
    server: ForkServer
    whole: Capacity
    free: Capacity
    watch: Watch
    running: dict[str, Node] = field(default_factory=dict)
    logs: dict[str, Path] = field(default_factory=dict)

    def run(self, stop: StopSignals) -> None:
        while self.graph.unfinished:
            if self.server.ready:
                self._start_what_fits()
            self._take_in(self.server.wait(stop))
            if stop.received:
                self._stop(stop)
                raise Stopped(stop.received[0])

    def _start_what_fits(self) -> None:
        """Shared nodes first; an exclusive one once nothing runs, and so nothing becomes ready beside it."""
        alone = []
        for node in self.graph.ready():
            if node.shape.exclusive:
                alone.append(node)
            elif self.free.fits(node, self.whole):
                self._start(node)
        if alone and not self.running:
            self._start(alone[0])

    def _start(self, node: Node) -> None:
        gpus = self.free.take(node, self.whole)
        logs = _next_logs(node)
        message = {
            "name": node.name,
            "call": node.call.as_json(),
            "fresh": node.shape.exclusive,
            "ranks": [
                {"log": str(log), "environment": environment}
                for log, environment in zip(logs, _rank_environments(node, gpus), strict=True)
            ],
        }
        begun = time.time()
        self.server.start(message)
        self.graph.states[node.name] = "running"
        self.running[node.name] = node
        self.logs[node.name] = logs[0]
        self.watch(Event(name=node.name, state="running", log=logs[0], unix=begun))

    def _take_in(self, messages: list[dict[str, Any]], *, stopping: bool = False) -> None:
        for message in messages:
            name, error = message["name"], message["error"]
            del self.running[name]
            self.free.give_back(name)
            log = self.logs[name]
            if not error:
                self.graph.finish(name)
                self.watch(Event(name=name, state="done", log=log))
                continue
            state: Literal["failed", "cancelled"] = "cancelled" if stopping else "failed"
            blocked = self.graph.fail(name, state)
            self.watch(Event(name=name, state=state, detail="" if stopping else error, log=log))
            for follower in blocked:
                self.watch(Event(name=follower, state="blocked", detail=f"needs {name}"))

    def _stop(self, stop: StopSignals) -> None:
        """SIGTERM to all children; SIGKILL when the grace is over or a second signal comes."""
        grace = self.executor.settings.grace_seconds
        end = time.monotonic() + grace + 5
        signals = len(stop.received)
        stop.drain()
        if self.running:
            self.server.stop(grace=grace)
        while self.running and time.monotonic() < end:
            self._take_in(self.server.wait(stop, end - time.monotonic()), stopping=True)
            if len(stop.received) > signals:
                signals = len(stop.received)
                self.server.stop(grace=0)
            stop.drain()


def _next_logs(node: Node) -> list[Path]:
    """`log-<attempt>.txt` for rank 0, `log-<attempt>.<rank>.txt` for others; earlier attempts are kept."""
    node.folder.mkdir(parents=True, exist_ok=True)
    attempt = 1
    while True:
        first = node.folder / f"log-{attempt}.txt"
        with suppress(FileExistsError):
            first.touch(exist_ok=False)
            break
        attempt += 1
    others = [node.folder / f"log-{attempt}.{rank}.txt" for rank in range(1, node.shape.tasks_per_node)]
    return [first, *others]


def _rank_environments(node: Node, gpus: list[int]) -> list[dict[str, str]]:
    """The variables torchrun would set, for each rank; an outer SLURM job's own are thereby overruled."""
    size = node.shape.tasks_per_node
    common = {
        "WORLD_SIZE": str(size),
        "LOCAL_WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "CUDA_VISIBLE_DEVICES": ",".join(map(str, gpus)),
    }
    if node.shape.exclusive:
        common |= thread_environment(node.shape.cpus_per_task)
    return [common | {"RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(size)]


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
