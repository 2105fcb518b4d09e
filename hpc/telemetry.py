"""The state of the machine while something is measured, watched by a process of its own.

with Watch() as watch:
    work()
    readings = watch.readings()

A reading says what happened since the one before: processor time that other processes took, time that the
hypervisor took, clocks, and what NVML tells of each GPU. Times are those of `time.perf_counter_ns`, which all
processes of a machine share.
"""

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from hpc import nvml
from hpc.children import environment

PERIOD = 0.1
"""Seconds between two readings: ten of the kernel's ticks a processor."""
_STEAL = 7
_IDLE = (3, 4)


@dataclass(frozen=True, kw_only=True, slots=True)
class GpuReading:
    """What NVML told of a GPU; None is what it did not tell."""

    uuid: str
    clock_mhz: int | None
    highest_clock_mhz: int | None
    memory_clock_mhz: int | None
    temperature_c: int | None
    power_mw: int | None
    energy_mj: int | None
    reasons: int | None
    utilization: int | None
    num_processes: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What happened since the reading before."""

    t_ns: int
    """Its end, by `time.perf_counter_ns`."""
    foreign: float
    """Processors that other processes kept busy; counted in ticks, so that means over some readings tell."""
    stolen: float
    """Processors that the hypervisor gave to others."""
    mhz: float | None
    """Clock of the fastest processor; None where the kernel does not tell."""
    gpus: tuple[GpuReading, ...] = ()


@dataclass(frozen=True, slots=True)
class _Spent:
    """Seconds of processors since the machine started."""

    t_ns: int
    busy: float
    stolen: float
    own: float


class Watch:
    """Watches while entered; the process that it starts ends with this one, however that ends.

    Args:
        period: seconds between two readings.
    """

    def __init__(self, period: float = PERIOD) -> None:
        self._period = period
        self._found: list[Reading] = []
        self._place = 0

    def __enter__(self) -> Self:
        # Without a name, so that nothing is left however this ends.
        self._file = tempfile.TemporaryFile(buffering=0)
        file = self._file.fileno()
        command = [sys.executable, "-m", "hpc.telemetry", str(os.getpid()), str(self._period), str(file)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            pass_fds=(file,),
            env=environment(),
            cwd="/",
            # Ctrl-C is for the one that measures; this one ends with it.
            start_new_session=True,
        )
        self.readings(until_ns=time.perf_counter_ns(), patience=30.0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._file.close()

    def readings(self, *, until_ns: int | None = None, patience: float = 5.0) -> list[Reading]:
        """All readings so far.

        Args:
            until_ns: waits for one that ends at this time or later.
            patience: seconds to wait for it; what there is then must do.
        """
        deadline = time.monotonic() + patience
        while True:
            self._found += self._new()
            if until_ns is None or (self._found and self._found[-1].t_ns >= until_ns):
                return self._found
            if time.monotonic() > deadline or self._process.poll() is not None:
                return self._found
            time.sleep(self._period / 2)

    def _new(self) -> Iterator[Reading]:
        file = self._file.fileno()
        new = os.pread(file, os.fstat(file).st_size - self._place, self._place)
        whole = new[: new.rfind(b"\n") + 1]
        self._place += len(whole)
        for line in whole.splitlines():
            told = json.loads(line)
            yield Reading(**told | {"gpus": tuple(GpuReading(**gpu) for gpu in told["gpus"])})


def governors() -> set[str]:
    """What sets the clock of the processors, such as `performance`; none where the kernel does not tell."""
    found = set()
    for file in Path("/sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_governor"):
        with suppress(OSError):
            found.add(file.read_text(encoding="ascii").strip())
    return found


def _spent(process: int) -> _Spent:
    """Of the machine, and of a process with its ended children and this one."""
    tick = os.sysconf("SC_CLK_TCK")
    fields = [int(word) for word in _line("/proc/stat").split()[1:9]]
    stolen = fields[_STEAL]
    busy = sum(fields) - stolen - sum(fields[place] for place in _IDLE)
    # The name in parentheses may hold spaces.
    own = sum(int(word) for word in _line(f"/proc/{process}/stat").rpartition(")")[2].split()[11:15])
    mine = os.times()
    return _Spent(
        t_ns=time.perf_counter_ns(),
        busy=busy / tick,
        stolen=stolen / tick,
        own=own / tick + mine.user + mine.system,
    )


def _line(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.readline()


def _mhz() -> float | None:
    with suppress(OSError, ValueError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        clocks = [float(line.partition(":")[2]) for line in lines if line.startswith("cpu MHz")]
        return max(clocks, default=None)
    return None


def _gpu(gpu: nvml.Gpu) -> GpuReading:
    return GpuReading(
        uuid=gpu.uuid or "",
        clock_mhz=gpu.clock_mhz,
        highest_clock_mhz=gpu.highest_clock_mhz,
        memory_clock_mhz=gpu.memory_clock_mhz,
        temperature_c=gpu.temperature_c,
        power_mw=gpu.power_mw,
        energy_mj=gpu.energy_mj,
        reasons=gpu.reasons,
        utilization=gpu.utilization,
        num_processes=gpu.num_processes,
    )


def _watch(process: int, period: float, file: int) -> None:
    """Writes a reading every period until standard input ends, as it does with the process that watches."""
    with os.fdopen(file, "a", encoding="ascii") as out, nvml.opened() as gpus:
        before = _spent(process)
        while not select.select([sys.stdin], [], [], period)[0]:
            try:
                now = _spent(process)
            except OSError:
                return
            seconds = (now.t_ns - before.t_ns) / 1e9
            reading = Reading(
                t_ns=now.t_ns,
                foreign=((now.busy - before.busy) - (now.own - before.own)) / seconds,
                stolen=(now.stolen - before.stolen) / seconds,
                mhz=_mhz(),
                gpus=tuple(map(_gpu, gpus)),
            )
            out.write(json.dumps(asdict(reading)) + "\n")
            out.flush()
            before = now


if __name__ == "__main__":
    _watch(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
