"""What a piece of work cost: wall and CPU seconds, peak memory, energy, and on NVIDIA GPUs their peak memory.

with measured() as meter:
    work()
meter.usage.seconds
"""

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpc import energy


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Cost of this process over a span of time; GPU figures are None where there is no GPU to ask."""

    seconds: float
    cpu_seconds: float
    """User and system time, ended child processes included."""
    peak_rss: int
    """Bytes, largest resident memory within the span where the kernel can tell, else since the start."""
    gpu_peak: int | None
    """Bytes, largest memory in tensors, summed over the devices this process has used."""
    gpu_seconds: float | None
    """Wall seconds times devices."""
    energy_j: float | None
    """Of the whole devices, or without one of the processors, other processes' share included."""


class Meter:
    """Holds the usage once the span is over."""

    usage: Usage


@contextmanager
def measured() -> Iterator[Meter]:
    """Measures the body; `meter.usage` is there afterwards, also when the body raised."""
    meter = Meter()
    _reset_peak_rss()
    for torch, device in energy.used_devices():
        torch.cuda.reset_peak_memory_stats(device)
    counters = energy.counters()
    cpu = _cpu_seconds()
    start = time.perf_counter()
    try:
        yield meter
    finally:
        seconds = time.perf_counter() - start
        meter.usage = _finish(seconds, _cpu_seconds() - cpu, counters)


def _finish(seconds: float, cpu_seconds: float, counters: dict[str, float]) -> Usage:
    devices = energy.used_devices()
    return Usage(
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        peak_rss=_peak_rss(),
        gpu_peak=sum(torch.cuda.max_memory_allocated(device) for torch, device in devices) or None,
        gpu_seconds=seconds * len(devices) if devices else None,
        energy_j=energy.since(counters),
    )


def peak_memory(device: Any) -> int:
    """Bytes: the largest memory in tensors of a GPU so far, or on a CPU the largest resident memory."""
    torch = sys.modules["torch"]
    return int(torch.cuda.max_memory_allocated(device)) if device.type == "cuda" else _peak_rss()


def _cpu_seconds() -> float:
    spans = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(span.ru_utime + span.ru_stime for span in spans)


def _reset_peak_rss() -> None:
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def _peak_rss() -> int:
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    factor = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * factor
