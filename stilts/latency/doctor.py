"""Whether this machine can measure: what is looked at, what was found, and what to do about it."""

import statistics
import time
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import torch

from hpc import energy, nvml
from hpc.finding import Finding
from hpc.telemetry import Reading, Watch, governors
from stilts.latency.flags import HEAT, POWER, Limits
from stilts.latency.witness import Witness

_SECONDS = 2.0
_SIZE = 384
_SPREAD = 1.0
"""90th percentile over the median of equal pieces of work, less one."""


def report() -> int:
    """Prints what was found and whether it will do; the exit code is 0 where it will."""
    findings = list(examine())
    for finding in findings:
        print(finding)
    wrong = [finding for finding in findings if not finding.is_well]
    print(f"this machine {'cannot measure now: see above' if wrong else 'can measure'}")
    return 1 if wrong else 0


def examine(seconds: float = _SECONDS) -> Iterator[Finding]:
    """Looks at the machine: idle for so long, and at work for so long."""
    limits = Limits()
    with Watch() as watch:
        time.sleep(seconds)
        idle = list(watch.readings(until_ns=time.perf_counter_ns()))
        began, witness = time.perf_counter_ns(), Witness()
        witness.begin()
        times = _equal_work(seconds)
        seen = witness.end()
        busy = [
            reading for reading in watch.readings(until_ns=time.perf_counter_ns()) if reading.t_ns > began
        ]
    yield _processors(idle, busy, limits)
    yield _stolen(busy, limits)
    yield _waits(seen["waited_ns"], (time.perf_counter_ns() - began), limits)
    yield _steadiness(times)
    yield _governor()
    yield _clock()
    yield from _gpus()


def _equal_work(seconds: float) -> list[float]:
    """Times of equal pieces of work on all threads."""
    matrix = torch.from_numpy(np.random.default_rng(0).standard_normal((_SIZE, _SIZE), dtype=np.float32))
    until, times = time.perf_counter() + seconds, []
    while time.perf_counter() < until:
        start = time.perf_counter()
        for _ in range(8):
            matrix @ matrix
        times.append(time.perf_counter() - start)
    return times[len(times) // 10 :]


def _processors(idle: list[Reading], busy: list[Reading], limits: Limits) -> Finding:
    load = max(_mean([one.foreign for one in idle]), _mean([one.foreign for one in busy]))
    return Finding(
        what="others",
        told=f"other processes keep {max(load, 0.0):.2f} processors busy (at most {limits.foreign:g})",
        is_well=load <= limits.foreign,
        advice="stop them, or ask SLURM for the node alone (exclusive = true)",
    )


def _stolen(busy: list[Reading], limits: Limits) -> Finding:
    share = _mean([one.stolen for one in busy])
    return Finding(
        what="hypervisor",
        told=f"gives {share:.2f} of our processors to other machines (at most {limits.stolen:g})",
        is_well=share <= limits.stolen,
        advice="measure on a machine of its own, or when its neighbours are quiet",
    )


def _waits(waited_ns: int | None, wall_ns: int, limits: Limits) -> Finding:
    if waited_ns is None:
        return Finding(what="waits", told="this kernel does not tell how long threads wait for a processor")
    share = waited_ns / wall_ns
    return Finding(
        what="waits",
        told=f"our threads wait {100 * share:.1f} % of the time for a processor "
        f"(at most {100 * limits.waited:g} %)",
        is_well=share <= limits.waited,
        advice=f"{torch.get_num_threads()} threads share the processors with others: stop those, "
        "or set OMP_NUM_THREADS to the processors that are ours",
    )


def _steadiness(times: list[float]) -> Finding:
    middle, late = statistics.median(times), float(np.quantile(times, 0.9))
    return Finding(
        what="steadiness",
        told=f"one in ten equal pieces of work takes {100 * (late / middle - 1):.0f} % longer than the "
        f"median, or more (at most {100 * _SPREAD:g} %)",
        is_well=late <= middle * (1 + _SPREAD),
        advice="the processor's clock moves, or a neighbour takes its caches: wait, or use another machine",
    )


def _governor() -> Finding:
    found = governors()
    if not found:
        return Finding(what="governor", told="the kernel does not say what sets the processor's clock")
    return Finding(
        what="governor",
        told=", ".join(sorted(found)),
        is_well=found == {"performance"},
        advice="cpupower frequency-set --governor performance (root)",
    )


def _clock() -> Finding:
    marks = [time.perf_counter_ns() for _ in range(2001)]
    steps = [after - before for before, after in pairwise(marks)]
    cost = statistics.median(steps)
    return Finding(
        what="clock",
        told=f"a look at the clock takes {cost:.0f} ns",
        is_well=cost < 10_000,
        advice="the kernel's clock source is slow: see /sys/devices/system/clocksource",
    )


def _gpus() -> Iterator[Finding]:
    if not torch.cuda.is_available():
        yield Finding(what="GPU", told="none: models are timed on the processors")
        return
    torch.zeros(1, device="cuda")
    ours = energy.used_gpus()
    with nvml.opened() as gpus:
        for gpu in gpus:
            if gpu.uuid not in ours:
                continue
            count, reasons = gpu.num_processes or 0, gpu.reasons or 0
            yield Finding(
                what="GPU",
                told=f"{gpu.clock_mhz} of {gpu.highest_clock_mhz} MHz, {gpu.temperature_c} C, "
                f"{count} processes compute on it",
                is_well=count <= 1 and not reasons & (HEAT | POWER),
                advice="ask for the GPU alone; where heat or power holds it back, another one",
            )
    yield _events()


def _events() -> Finding:
    """What CUDA's events say of nothing, and what a launch takes."""
    spans, trips = [], []
    for _ in range(200):
        first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
        start = time.perf_counter()
        first.record()
        torch.cuda._sleep(0)  # type: ignore[no-untyped-call]
        last.record()
        last.synchronize()
        trips.append(1e6 * (time.perf_counter() - start))
        spans.append(1e3 * first.elapsed_time(last))
    return Finding(
        what="events",
        told=f"an empty kernel takes {statistics.median(spans):.1f} us between events, "
        f"{statistics.median(trips):.1f} us with launch and wait",
    )


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0
