"""What the comparisons share: interleaved rounds, bars, and a description of the machine."""

import argparse
import importlib.metadata
import multiprocessing
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from tabulate import tabulate

THREADS = os.cpu_count() or 1
_SPINNING = 0.3
"""Seconds that idle threads of a library may spin on; Intel's OpenMP has 0.2."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """A figure and what it has to be."""

    what: str
    value: float
    bound: float
    side: Literal["at least", "at most"] = "at least"

    @property
    def reached(self) -> bool:
        """Whether it is; what is not a number is not."""
        return self.value >= self.bound if self.side == "at least" else self.value <= self.bound


def arguments(summary: str, *, without: Sequence[str] = ()) -> argparse.Namespace:
    """The command line of a comparison: `--quick`, and `--without` where there are peers to leave out."""
    parser = argparse.ArgumentParser(description=summary)
    parser.add_argument("--quick", action="store_true", help="less of everything; no claim")
    if without:
        parser.add_argument(
            "--without", action="append", default=[], choices=without, help="leave a peer out"
        )
    return parser.parse_args()


def say(line: str) -> None:
    """Progress, apart from the table."""
    print(line, file=sys.stderr, flush=True)


def seconds(call: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def fastest(calls: Mapping[str, Callable[[], object]]) -> str:
    """The name of the call that takes least, each after one that does not count."""
    taken = {}
    for name, call in calls.items():
        call()
        taken[name] = seconds(call)
    return min(taken, key=taken.__getitem__)


def interleave(calls: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, list[float]]:
    """Seconds of every call in every round; who comes first rotates, so that no one has the warm machine."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    names = list(calls)
    cpu = 0.0
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            time.sleep(_SPINNING)
            before = processor_seconds()
            taken[name].append(seconds(calls[name]))
            cpu += processor_seconds() - before
        shown = ", ".join(f"{name} {taken[name][-1]:.2f} s" for name in names)
        say(f"round {number + 1}/{rounds}: {shown}")
    share = cpu / sum(map(sum, taken.values())) / THREADS
    say(f"processor time the contestants got: {share:.0%} of {THREADS} cores; other jobs blur the figures")
    return taken


def processor_seconds() -> float:
    """Of this process and the living ones that it started, so far."""
    ticks = 0
    for process in [os.getpid(), *(child.pid for child in multiprocessing.active_children())]:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def median(taken: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(taken)


def machine(*packages: str) -> str:
    """Processor, cores in use and versions, in one line."""
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = [line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name")]
    versions = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages)
    features = torch.backends.cpu.get_cpu_capability()
    return f"{names[0] if names else platform.processor()} ({features}), {THREADS} threads; {versions}"


def verdict(bars: Sequence[Bar]) -> int:
    """Prints the bars; returns the exit code."""
    rows = [
        (bar.what, f"{bar.value:.6g}", f"{bar.side} {bar.bound:g}", "reached" if bar.reached else "MISSED")
        for bar in bars
    ]
    print(tabulate(rows, headers=["bar", "value", "", ""], tablefmt="github", disable_numparse=True))
    return int(not all(bar.reached for bar in bars))
