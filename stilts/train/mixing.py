"""Which task and which rows each optimizer step sees, for one task or many.

Task m is drawn with probability min(e_m, cap) / sum over tasks of min(e_n, cap), where e_m is its number of
items: examples-proportional with a cap, as in T5. The cap bounds how often a task is drawn, not what is drawn
from it. A step belongs to one task, so the share of a task's examples is not its probability unless batches
are alike in examples; `report` tells both. What step n sees follows from the seed and n alone: an interrupted
run goes on exactly where it was, without a state of its own.
"""

import bisect
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from stilts.data import batches
from stilts.tasks.coding.ragged import Integers

CAP = 2**17

_BLOCK = 4096
"""Steps whose tasks are drawn together."""


Weights = dict[str, float]
"""How often each stream is drawn, relative to the others; where epochs are counted, in items."""


class Draw(NamedTuple):
    """What an optimizer step sees."""

    task: str
    rows: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """How large a batch is: so many tokens at most, or so many items."""

    tokens: int | None = None
    items: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Contribution:
    """What a task contributes to a phase."""

    probability: float
    steps: int
    items: int
    tokens: int
    epochs: float
    """Passes over its own data."""


class Order(Protocol):
    """What a phase trains on, step by step."""

    def steps(self, epochs: float, *, at_most: int | None = None) -> int:
        """Optimizer steps of the phase."""

    def draw(self, step: int) -> Draw:
        """What step `step` sees, counted from 0."""

    def report(self, steps: int) -> dict[str, Contribution]:
        """What the first `steps` steps draw, by task."""


@dataclass(slots=True)
class _Stream:
    """A task's batches, epoch after epoch, each epoch in an order of its own."""

    num_tokens: Integers
    size: Size
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
        # Where batches count items every item weighs one, so that its length does not choose its company.
        counted = self.num_tokens if self.size.items is None else np.ones(len(self.num_tokens), np.int64)
        limit = self.size.tokens if self.size.items is None else self.size.items
        assert limit is not None, "a size counts tokens or items"
        self.batches = batches(counted, tokens_per_batch=limit, seed=self.seed, epoch=epoch, shuffle=True)
        self.epoch = epoch
        if epoch == len(self.ends):
            self.ends.append((self.ends[-1] if self.ends else 0) + len(self.batches))


def capped(sizes: Mapping[str, int], cap: int = CAP, *, sets: Mapping[str, str] | None = None) -> Weights:
    """Items each stream counts for.

    Args:
        sizes: items by stream.
        cap: items a task counts for at most.
        sets: the task of each stream that is a part of one, such as its set in another language: the cap
            holds for the whole task, and its streams share it by their sizes.
    """
    owner = {name: (sets or {}).get(name, name) for name in sizes}
    totals = Counter[str]()
    for name, size in sizes.items():
        totals[owner[name]] += size
    return {
        name: min(totals[owner[name]], cap) * size / totals[owner[name]] if size else 0.0
        for name, size in sizes.items()
    }


def smoothed(sizes: Mapping[str, float], exponent: float) -> Weights:
    """Weights proportional to size ** exponent: small languages are drawn more often than they are large."""
    raised = {name: size**exponent for name, size in sizes.items()}
    total = sum(raised.values())
    return {name: value / total for name, value in raised.items()}


class Mixture:
    """Streams of batches, drawn at random.

    Args:
        num_tokens: tokens by item, by stream.
        weights: how often each is drawn, as `capped` or `smoothed` give it.
        size: of a batch, of all streams or by stream.
        seed: decides everything.
    """

    def __init__(
        self,
        num_tokens: Mapping[str, Integers],
        *,
        weights: Mapping[str, float],
        size: Size | Mapping[str, Size],
        seed: int,
    ) -> None:
        if not num_tokens or any(len(items) == 0 for items in num_tokens.values()):
            raise ValueError("a mixture needs tasks, and every task needs items")
        self._names = sorted(num_tokens)
        self._seed = seed
        self._weights = {name: weights[name] for name in self._names}
        self._streams = {
            # The task's own name in its seed: adding a task leaves the others' batches as they were.
            name: _Stream(
                num_tokens[name], size if isinstance(size, Size) else size[name], [seed, *name.encode()]
            )
            for name in self._names
        }
        self._tasks = np.empty(0, np.int64)

    @property
    def probabilities(self) -> dict[str, float]:
        """Probability of each stream at each step."""
        total = sum(self._weights.values())
        return {name: weight / total for name, weight in self._weights.items()}

    def steps(self, epochs: float, *, at_most: int | None = None) -> int:
        """Optimizer steps that make so many passes over the capped mixture: at least one."""
        total = 0.0
        for name, stream in self._streams.items():
            stream.batch(0)
            total += stream.ends[0] * self._weights[name] / len(stream.num_tokens)
        steps = max(1, math.ceil(epochs * total))
        return min(steps, at_most or steps)

    def draw(self, step: int) -> Draw:
        """Stream and rows of optimizer step `step`, counted from 0."""
        self._draw_tasks(step + 1)
        task = int(self._tasks[step])
        name = self._names[task]
        earlier = int(np.count_nonzero(self._tasks[:step] == task))
        return Draw(name, self._streams[name].batch(earlier))

    def report(self, steps: int) -> dict[str, Contribution]:
        """What the first `steps` steps draw, by stream."""
        self._draw_tasks(steps)
        probabilities = self.probabilities
        found = {}
        for number, name in enumerate(self._names):
            stream = self._streams[name]
            drawn = int(np.count_nonzero(self._tasks[:steps] == number))
            rows = [stream.batch(batch) for batch in range(drawn)]
            items = sum(len(batch) for batch in rows)
            found[name] = Contribution(
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


class Interleaved:
    """A mixture with a batch of another one after every so many of its own.

    The first one's batches and their order are those it has without the other, so that two runs differ in
    what came between and in nothing else.

    Args:
        main: counts the epochs.
        other: comes in between.
        every: batches of `main` before each one of `other`.
    """

    def __init__(self, main: Mixture, other: Mixture, *, every: int) -> None:
        self._main, self._other, self._every = main, other, every

    def steps(self, epochs: float, *, at_most: int | None = None) -> int:
        """Optimizer steps of both; epochs and `at_most` count those of the main mixture."""
        steps = self._main.steps(epochs, at_most=at_most)
        return steps + steps // self._every

    def draw(self, step: int) -> Draw:
        """Stream and rows of optimizer step `step`, counted from 0."""
        turn, place = divmod(step, self._every + 1)
        if place == self._every:
            return self._other.draw(turn)
        return self._main.draw(turn * self._every + place)

    def report(self, steps: int) -> dict[str, Contribution]:
        """What the first `steps` steps draw; probabilities are over the steps of both."""
        others = steps // (self._every + 1)
        found = {}
        for mixture, drawn in ((self._main, steps - others), (self._other, others)):
            for name, share in mixture.report(drawn).items():
                part = drawn / steps if steps else 0.0
                found[name] = replace(share, probability=share.probability * part)
        return found
