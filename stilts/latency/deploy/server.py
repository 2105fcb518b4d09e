"""A server under an open loop: queries come when they come, whether or not the ones before are answered.

A query's time runs from the moment it was to be sent, so that one that waited behind others says so.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from stilts.latency.deploy.layouts import Layout
from stilts.latency.deploy.traffic import Request
from stilts.latency.protocol import Row
from stilts.latency.witness import Witness

_SPIN_NS = 1_000_000
"""The last of a wait is spent awake: the kernel wakes a sleeper late."""
_LOWEST_SHARE = 0.05
"""Of the rate at which a layout works off a heap: below it no rate is looked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """Queries that came at one rate."""

    rate: float
    """Arrivals a second, infinite where all came at once."""
    rows: list[Row]

    @property
    def waited(self) -> NDArray[np.int64]:
        """Nanoseconds from when each was to be sent to its answer."""
        return np.array([row["wall_ns"] for row in self.rows])

    def holds(self, bound_ms: float, share: float) -> bool:
        """Whether such a share of the queries had their answer in time."""
        return float(np.quantile(self.waited, share)) <= bound_ms * 1e6


def serve(
    layout: Layout, requests: Sequence[Request], arrivals: NDArray[np.float64], *, batch: int, rate: float
) -> Trial:
    """Answers requests in the order they come, those that wait and can share a pass together.

    Args:
        layout: that answers.
        requests: what is asked.
        arrivals: seconds from the start at which each is to be sent; ascending.
        batch: most requests of a pass.
        rate: what the arrivals were drawn for.
    """
    witness = Witness()
    start = time.perf_counter_ns() + _SPIN_NS
    due = start + (arrivals * 1e9).astype(np.int64)
    waiting: deque[int] = deque()
    rows: list[Row] = []
    came = 0
    while len(rows) < len(requests):
        if not waiting:
            _wait(int(due[came]))
        now = time.perf_counter_ns()
        while came < len(due) and due[came] <= now:
            waiting.append(came)
            came += 1
        chosen = _together(layout, requests, waiting, batch)
        witness.begin()
        began = time.perf_counter_ns()
        swapped = layout.answer([requests[one] for one in chosen])
        ended = time.perf_counter_ns()
        seen = witness.end()
        for one in chosen:
            query = requests[one].query
            rows.append(
                {
                    "scenario": "server",
                    "rate": rate if math.isfinite(rate) else 0.0,
                    "heads": 1,
                    "query_id": query.number,
                    "task": requests[one].targets[0],
                    "batch_size": len(chosen),
                    "real_tokens": len(query.ids),
                    "t_start_ns": int(due[one]),
                    "wall_ns": ended - int(due[one]),
                    "queue_ns": began - int(due[one]),
                    "swap_ns": swapped,
                    **seen,
                }
            )
    return Trial(rate=rate, rows=rows)


def search(trial: Callable[[float], Trial], *, bound_ms: float, share: float, steps: int) -> Iterator[Trial]:
    """Trials that close in on the highest rate under the bound: all at once first, then by halves.

    Args:
        trial: makes one at a rate.
        bound_ms: for a share of the queries.
        share: that share.
        steps: trials after the first.
    """
    heap = trial(math.inf)
    yield heap
    most = len(heap.rows) / (float(heap.waited.max()) / 1e9)
    low, high = math.log(most * _LOWEST_SHARE), math.log(most)
    for _ in range(steps):
        middle = (low + high) / 2
        made = trial(math.exp(middle))
        yield made
        low, high = (middle, high) if made.holds(bound_ms, share) else (low, middle)


def _wait(until_ns: int) -> None:
    pause = until_ns - _SPIN_NS - time.perf_counter_ns()
    if pause > 0:
        time.sleep(pause / 1e9)
    while time.perf_counter_ns() < until_ns:
        pass


def _together(layout: Layout, requests: Sequence[Request], waiting: deque[int], batch: int) -> list[int]:
    """Takes the first that waits, and those that can share its pass."""
    first = waiting[0]
    others = (one for one in waiting if layout.serves_together(requests[first], requests[one]))
    chosen = list(islice(others, batch))
    for one in chosen:
        waiting.remove(one)
    return chosen
