"""Which task and which rows each optimizer step sees, for one task or many.

Task m is drawn with probability min(e_m, cap) / sum over tasks of min(e_n, cap), where e_m is its number of
items: examples-proportional with a cap, as in T5. The cap bounds how often a task is drawn, not what is drawn
from it. A step belongs to one task, so with batches of tokens the share of a task's examples is not its
probability; `report` tells both. What step n sees follows from the seed and n alone: an interrupted run goes
on exactly where it was, without a state of its own.
"""

import bisect
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stilts.data import batches
from stilts.kinds.ragged import Integers

CAP = 2**17

_BLOCK = 4096
"""Steps whose tasks are drawn together."""


class Draw(NamedTuple):
    """What an optimizer step sees."""

    task: str
    rows: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """What a task contributes to a phase."""

    probability: float
    steps: int
    items: int
    tokens: int
    epochs: float
    """Passes over its own data."""


@dataclass(slots=True)
class _Stream:
    """A task's batches, epoch after epoch, each epoch in an order of its own."""

    num_tokens: Integers
    tokens_per_batch: int
    seed: list[int]
    ends: list[int] = field(default_factory=list)
    """Number of batches up to the end of each epoch seen so far."""
    epoch: int = -1
    batches: list[NDArray[np.int64]] = field(default_factory=list)

    def batch(self, number: int) -> NDArray[np.int64]:
        """The batch of that number, counted through all epochs."""
        while not self.ends or number >= self.ends[-1]:
            self._open(len(self.ends))
        epoch = bisect.bisect_right(self.ends, number)
        if epoch != self.epoch:
            self._open(epoch)
        return self.batches[number - (self.ends[epoch - 1] if epoch else 0)]

    def _open(self, epoch: int) -> None:
        self.batches = batches(
            self.num_tokens,
            tokens_per_batch=self.tokens_per_batch,
            seed=self.seed,
            epoch=epoch,
            shuffle=True,
        )
        self.epoch = epoch
        if epoch == len(self.ends):
            self.ends.append((self.ends[-1] if self.ends else 0) + len(self.batches))


class Mixture:
    """The order of a training phase.

    Args:
        num_tokens: tokens by item, by task.
        tokens_per_batch: tokens of a step at most.
        seed: decides everything.
        cap: items a task counts for at most when tasks are drawn.
    """

    def __init__(
        self, num_tokens: Mapping[str, Integers], *, tokens_per_batch: int, seed: int, cap: int = CAP
    ) -> None:
        if not num_tokens or any(len(items) == 0 for items in num_tokens.values()):
            raise ValueError("a mixture needs tasks, and every task needs items")
        self._names = sorted(num_tokens)
        self._seed = seed
        self._capped = {name: min(len(num_tokens[name]), cap) for name in self._names}
        self._streams = {
            # The task's own name in its seed: adding a task leaves the others' batches as they were.
            name: _Stream(num_tokens[name], tokens_per_batch, [seed, *name.encode()])
            for name in self._names
        }
        self._tasks = np.empty(0, np.int64)

    @property
    def probabilities(self) -> dict[str, float]:
        """Probability of each task at each step."""
        total = sum(self._capped.values())
        return {name: capped / total for name, capped in self._capped.items()}

    def steps(self, epochs: float) -> int:
        """Optimizer steps that make so many passes over the capped mixture: at least one."""
        total = 0.0
        for name, stream in self._streams.items():
            stream.batch(0)
            total += stream.ends[0] * self._capped[name] / len(stream.num_tokens)
        return max(1, math.ceil(epochs * total))

    def draw(self, step: int) -> Draw:
        """Task and rows of optimizer step `step`, counted from 0."""
        self._draw_tasks(step + 1)
        task = int(self._tasks[step])
        name = self._names[task]
        earlier = int(np.count_nonzero(self._tasks[:step] == task))
        return Draw(name, self._streams[name].batch(earlier))

    def report(self, steps: int) -> dict[str, Share]:
        """What the first `steps` steps draw, by task."""
        self._draw_tasks(steps)
        probabilities = self.probabilities
        found = {}
        for number, name in enumerate(self._names):
            stream = self._streams[name]
            drawn = int(np.count_nonzero(self._tasks[:steps] == number))
            rows = [stream.batch(batch) for batch in range(drawn)]
            items = sum(len(batch) for batch in rows)
            found[name] = Share(
                probability=probabilities[name],
                steps=drawn,
                items=items,
                tokens=sum(int(np.asarray(stream.num_tokens)[batch].sum()) for batch in rows),
                epochs=items / len(stream.num_tokens),
            )
        return found

    def _draw_tasks(self, steps: int) -> None:
        """Draws the tasks of at least so many steps; each block of steps has a generator of its own."""
        edges = np.cumsum(list(self.probabilities.values()))[:-1]
        while len(self._tasks) < steps:
            random = np.random.default_rng([self._seed, len(self._tasks) // _BLOCK])
            block = np.searchsorted(edges, random.random(_BLOCK), side="right")
            self._tasks = np.append(self._tasks, block)
