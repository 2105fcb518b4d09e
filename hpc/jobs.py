"""What is to run (Call, Shape, Node), what happens to it (Event, Outcome), and who runs it (Executor)."""

import importlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

from hpc.errors import UserError
from hpc.settings import Line, Pattern, Range

State = Literal["waiting", "submitted", "running", "done", "failed", "cancelled", "blocked"]
"""`submitted`: in a scheduler's hands; `cancelled`: stopped from outside; `blocked`: a need failed."""


Word = Annotated[
    str,
    Pattern(regex=r"[A-Za-z0-9_.,:|&*()\[\]=@+-]{0,200}", said="a word as sbatch takes it, without blanks"),
]
"""A name of the cluster's: a partition, an account."""


Option = Annotated[str, Pattern(regex="[a-z][a-z0-9-]{0,40}", said="an option of sbatch without its dashes")]


@dataclass(frozen=True, slots=True)
class Call:
    """A function by name and its keyword arguments, as JSON: a record any process can read and repeat."""

    target: str
    """`module:function`."""
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.target.count(":") != 1:
            raise UserError(f"a call is written 'module:function', not {self.target!r}")

    def run(self) -> Any:
        """Imports the module and calls the function."""
        module, function = self.target.split(":")
        return getattr(importlib.import_module(module), function)(**self.arguments)

    def as_json(self) -> dict[str, Any]:
        """The record `from_json` reads."""
        return {"target": self.target, "arguments": dict(self.arguments)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Call":
        """The call that `as_json` wrote."""
        return cls(record["target"], record["arguments"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """The machine a call needs."""

    nodes: Annotated[int, Range(least=1, most=10_000)] = 1
    tasks_per_node: Annotated[int, Range(least=1, most=1024)] = 1
    """Processes on each node: the ranks of the call."""
    gpus_per_node: Annotated[int, Range(least=0, most=1024)] = 0
    cpus_per_task: Annotated[int, Range(least=1, most=4096)] = 1
    """Without a scheduler: the threads of an exclusive run; others have `threads_per_worker`."""
    memory_gb: Annotated[float, Range(above=0, most=1e6)] = 4.0
    """For each node."""
    minutes: Annotated[int, Range(least=1, most=525_600)] = 60
    """Time limit; only a scheduler enforces it."""
    exclusive: bool = False
    """Nothing else runs on the machine meanwhile, and the interpreter is a fresh one: for measurements."""
    partition: Word = ""
    """On SLURM, as all that follow: instead of the one in `[slurm]`."""
    account: Word = ""
    qos: Word = ""
    constraint: Word = ""
    gres: Word = ""
    """Instead of `gpus_per_node` in what SLURM is asked for, as `gpu:a100:4`."""
    setup: tuple[Annotated[str, Line()], ...] = ()
    """Shell lines after those in `[slurm]`."""
    extra: dict[Option, Annotated[str, Line()] | int | bool] = field(default_factory=dict, hash=False)
    """Further sbatch options, before those in `[slurm]`."""

    def __post_init__(self) -> None:
        if 0 < self.gpus_per_node < self.tasks_per_node:
            raise UserError(
                f"{self.tasks_per_node} ranks a node (tasks_per_node) but {self.gpus_per_node} GPUs "
                "(gpus_per_node): each rank needs one"
            )

    @property
    def ranks(self) -> int:
        """Processes in all."""
        return self.nodes * self.tasks_per_node


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """One call of a plan, with what must be done before it."""

    name: str
    call: Call
    needs: tuple[str, ...] = ()
    shape: Shape = Shape()
    folder: Path
    """The executor's own folder for this call: logs, job id."""
    done: Path | None = None
    """A file that is there once the work is done: nodes end while a plan is carried out."""
    cost: float = 1.0
    """Expected work, in any unit: the longest chain is started first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something happened to a node."""

    name: str
    state: State
    detail: str = ""
    """Why it failed, in one line; or the job id."""
    log: Path | None = None
    """Where its output is."""
    unix: float = field(default_factory=time.time)


Watch = Callable[[Event], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """The last state of every node; `submitted` where a scheduler has taken over."""

    states: Mapping[str, State]

    def count(self, state: State) -> int:
        """How many nodes ended in `state`."""
        return sum(1 for value in self.states.values() if value == state)

    @property
    def ok(self) -> bool:
        """Nothing failed, and nothing was left out because something else failed."""
        return all(state in ("done", "submitted", "waiting") for state in self.states.values())


class Executor(Protocol):
    """Runs a plan, or hands it to something that does."""

    def run(self, nodes: Sequence[Node], watch: Watch) -> Outcome:
        """Runs all nodes, each after those it needs, and tells `watch` what happens.

        Raises:
            UserError: the plan cannot be run here: a cycle, an unknown need, a shape too large.
            Stopped: a signal asked for the end; everything started has been stopped.
        """
        ...
