"""What each optimizer step computes on a rank: its share of the batch, in passes that fit the device.

A batch is dealt to ranks and passes by its tokens, so that all have about as much to do. Which rows a step
sees does not depend on how many ranks there are; its passes are packed, and pinned, before they are needed.
"""

import heapq
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stilts.evaluate import predict
from stilts.model.head_modules import Batch
from stilts.tasks.types import IGNORED
from stilts.train.mixing import Order
from stilts.train.sets import Stream

AHEAD = 2
"""Steps prepared while one is computed on another device."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pass:
    """What goes through the model at once."""

    batch: Batch
    counts: bool
    """False on a rank that has nothing left: it goes along with an item that others have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """An optimizer step of one rank."""

    stream: str
    head: str
    passes: tuple[Pass, ...]
    count: int
    """What the loss is a mean over, on all ranks."""
    tokens: int
    """On all ranks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Steps:
    """Prepares the steps of a rank."""

    order: Order
    streams: Mapping[str, Stream]
    target_of: Callable[[str], str]
    """Which target array a head learns from."""
    rank: int = 0
    world_size: int = 1
    tokens_per_pass: int | None = None
    pins: bool = False

    def prepare(self, number: int) -> Step:
        """The step of that number, counted from 0 over all that are drawn."""
        name, rows = self.order.draw(number)
        stream = self.streams[name]
        tokens = np.asarray(stream.encoded.num_tokens[rows], np.int64)
        # Like lengths beside each other: attention without a GPU takes them together.
        order = np.argsort(-tokens, kind="stable")
        rows, tokens = rows[order], tokens[order]
        shares, passes = deal(tokens, ranks=self.world_size, tokens_per_pass=self.tokens_per_pass)
        whole = stream.batch(rows, step=number)
        mine = []
        for share in shares[self.rank * passes : (self.rank + 1) * passes]:
            chosen = rows[share] if len(share) else rows[:1]
            raw = whole if len(share) == len(rows) else stream.batch(chosen, step=number)
            batch = predict.packed_batch(raw, to_learn=True)
            mine.append(Pass(batch=predict.pin(batch) if self.pins else batch, counts=bool(len(share))))
        counted = whole.targets[self.target_of(stream.head)]
        return Step(
            stream=name,
            head=stream.head,
            passes=tuple(mine),
            count=int(np.count_nonzero(counted != IGNORED)),
            tokens=int(tokens.sum()),
        )


class Feeder:
    """Hands out steps one after the other, prepared ahead where another device computes them.

    Args:
        prepare: makes the step of a number.
        first: the first number.
        ahead: how many are prepared beforehand, by a thread; 0: each when it is asked for.
    """

    def __init__(self, prepare: Callable[[int], Step], first: int, *, ahead: int) -> None:
        self._prepare, self._next, self._ahead = prepare, first, ahead
        self._waiting: deque[Future[Step]] = deque()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="batches") if ahead else None

    def take(self) -> Step:
        """The next step."""
        if self._pool is None:
            self._next += 1
            return self._prepare(self._next - 1)
        while len(self._waiting) <= self._ahead:
            self._waiting.append(self._pool.submit(self._prepare, self._next))
            self._next += 1
        return self._waiting.popleft().result()

    def close(self) -> None:
        """Ends the thread."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def deal(
    tokens: NDArray[np.int64], *, ranks: int, tokens_per_pass: int | None
) -> tuple[list[NDArray[np.int64]], int]:
    """Deals the items of a batch to ranks, and on each to as many passes as the others have.

    Args:
        tokens: by item.
        ranks: how many there are.
        tokens_per_pass: what a pass may hold; an item that is larger gets one of its own.

    Returns:
        Items by pass, those of rank 0 first, in the order they had; and the number of passes of a rank.
    """
    passes = 1
    if tokens_per_pass is not None:
        passes = max(1, -(-int(tokens.sum()) // (ranks * tokens_per_pass)))
    while True:
        shares = _evenly(tokens, ranks * passes)
        largest = max((int(tokens[share].sum()) for share in shares if len(share) > 1), default=0)
        if tokens_per_pass is None or largest <= tokens_per_pass:
            return shares, passes
        passes += 1


def _evenly(tokens: NDArray[np.int64], shares: int) -> list[NDArray[np.int64]]:
    """The largest items first, each to the share that has least so far."""
    if shares == 1:
        return [np.arange(len(tokens))]
    found: list[list[int]] = [[] for _ in range(shares)]
    loads = [(0, share) for share in range(shares)]
    for item in np.argsort(-tokens, kind="stable").tolist():
        load, share = heapq.heappop(loads)
        found[share].append(item)
        heapq.heappush(loads, (load + int(tokens[item]), share))
    return [np.asarray(sorted(items), np.int64) for items in found]
