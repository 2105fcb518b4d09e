"""A comparison: one operation, one batch, several implementations. First right, then fast.

`run(case, stopwatch, plan)` builds every implementation, holds it against the fp32 reference, and times those
that pass, in rounds, so that a drift of the clock meets all of them alike.
"""

import gc
import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from kernels.bench.chips import Chip
from kernels.bench.result import Launch, Row, Times
from kernels.bench.roofline import Operation, Work
from kernels.bench.workloads import Workload

FLOOR = 1e-5
"""Added to the tolerance, for operations that are exact in the baseline."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """An implementation with its inputs bound."""

    run: Callable[[], Tensor]
    pick: Callable[[Tensor], Tensor] = lambda out: out
    """From its output to the reference's rows: real tokens only."""
    launch: Launch = "graph"
    refused: tuple[str, ...] = ()
    """Why one of our kernels does not run here but its fall-back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """What is compared."""

    family: str
    kernel: str
    workload: Workload
    dtype: str
    work: Work | Operation
    reference: Callable[[], Tensor]
    """The result in fp32."""
    baseline: Callable[[], Tensor]
    """Unfused torch in the case's dtype; twice its error is allowed."""
    variants: dict[str, Callable[[], Call]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How often to call."""

    fewest: int = 100
    most: int = 500
    seconds: float = 1.0
    """Of timed calls an implementation, where `fewest` allows."""
    rounds: int = 4

    def calls(self, microseconds: float) -> int:
        """A round's calls of an implementation that takes this long."""
        affordable = int(self.seconds * 1e6 / max(microseconds, 1.0))
        return -(-min(max(affordable, self.fewest), self.most) // self.rounds)


class Timed(Protocol):
    """An implementation made ready for timing."""

    launch: Launch
    reason: str
    """Why it is not captured as a graph, if that was asked."""

    def cold(self, calls: int) -> list[float]:
        """Microseconds of each call, L2 flushed before it."""

    def warm(self, calls: int) -> list[float]:
        """Microseconds of each call right after the one before."""


class Stopwatch(Protocol):
    """What measures: a GPU's events, or a test's stand-in."""

    chip: Chip | None

    def synchronise(self) -> None:
        """Waits until the device is idle."""

    def prepare(self, call: Call) -> Timed:
        """Captures the call where it can be."""

    def release(self) -> None:
        """Gives memory back."""


@dataclass(kw_only=True, slots=True)
class _Candidate:
    row: dict[str, object]
    timed: Timed | None = None
    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)


@torch.no_grad()
def run(case: Case, stopwatch: Stopwatch, plan: Plan) -> list[Row]:
    """One row an implementation; those that are wrong or unavailable carry no time."""
    wanted = case.reference().float()
    tolerance = 2.0 * _difference(case.baseline(), wanted) + FLOOR
    candidates = [_build(name, make, wanted, tolerance, stopwatch) for name, make in case.variants.items()]
    del wanted
    ready = [candidate for candidate in candidates if candidate.timed is not None]
    counts = {id(candidate): plan.calls(_pilot(candidate)) for candidate in ready}
    order = random.Random(case.kernel + case.workload.name)
    for _ in range(plan.rounds):
        order.shuffle(ready)
        for candidate in ready:
            assert candidate.timed is not None
            candidate.cold += candidate.timed.cold(counts[id(candidate)])
            candidate.warm += candidate.timed.warm(counts[id(candidate)])
    rows = [_row(case, candidate, stopwatch.chip) for candidate in candidates]
    candidates.clear()
    ready.clear()
    gc.collect()
    stopwatch.release()
    return rows


def _build(
    name: str,
    make: Callable[[], Call],
    wanted: Tensor,
    tolerance: float,
    stopwatch: Stopwatch,
) -> _Candidate:
    """First call, gate, warm-up, capture. A peer that is missing or fails says so in its row."""
    row: dict[str, object] = {"variant": name, "tolerance": tolerance}
    candidate = _Candidate(row=row)
    try:
        with reasons() as said:
            call = make()
            _poison(wanted)
            started = time.perf_counter()
            out = call.run()
            stopwatch.synchronise()
            row["first_call_seconds"] = round(time.perf_counter() - started, 4)
        row["fallbacks"] = tuple(dict.fromkeys((*call.refused, *said)))
        difference = _difference(call.pick(out), wanted)
        del out
        row["difference"] = difference
        if not difference <= tolerance:
            row |= {"status": "wrong", "reason": f"differs by {difference:.2e}, {tolerance:.2e} is allowed"}
            return candidate
        started = time.perf_counter()
        for _ in range(3):
            call.run()
        stopwatch.synchronise()
        row["warm_up_seconds"] = round(time.perf_counter() - started, 4)
        candidate.timed = stopwatch.prepare(call)
    except Exception as error:  # whatever a peer raises, the others are still timed
        first_line = str(error).strip().split("\n")[0]
        row |= {"status": "unavailable", "reason": f"{type(error).__name__}: {first_line}"[:300]}
        return candidate
    row |= {"status": "ok", "launch": candidate.timed.launch, "reason": candidate.timed.reason}
    return candidate


def _pilot(candidate: _Candidate) -> float:
    assert candidate.timed is not None
    return sorted(candidate.timed.cold(5))[2]


def _row(case: Case, candidate: _Candidate, chip: Chip | None) -> Row:
    work, load = case.work, case.workload
    return Row(
        family=case.family,
        kernel=case.kernel,
        workload=load.name,
        batch=load.batch,
        longest=load.longest,
        tokens=load.tokens,
        padding=round(load.padding, 4),
        dtype=case.dtype,
        flop=work.flop,
        bytes=work.bytes,
        roof_us=work.roof(chip) * 1e6 if chip else None,
        cold=Times.of(candidate.cold) if candidate.cold else None,
        warm=Times.of(candidate.warm) if candidate.warm else None,
        **candidate.row,  # type: ignore[arg-type]
    )


def _difference(out: Tensor, wanted: Tensor) -> float:
    """Largest absolute difference; infinite where there is a NaN or the shapes differ."""
    if out.shape != wanted.shape:
        return float("inf")
    largest = (out.float() - wanted).abs().max().item() if wanted.numel() else 0.0
    return largest if largest == largest else float("inf")


def _poison(like: Tensor) -> None:
    """Leaves NaN in the memory that the next allocation is likely to get: an unwritten row then shows."""
    torch.full(like.shape, float("nan"), dtype=torch.bfloat16, device=like.device)


@contextmanager
def reasons() -> Iterator[list[str]]:
    """Collects what the kernels say when they refuse the fast path."""
    said: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    listener, logger = Listener(logging.WARNING), logging.getLogger("kernels")
    logger.addHandler(listener)
    try:
        yield said
    finally:
        logger.removeHandler(listener)
