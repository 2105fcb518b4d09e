"""The machine is watched while something runs, and what others do to it is told apart from our own work."""

import os
import signal
import subprocess
import sys
import time

import pytest

from hpc.telemetry import Watch

SPIN = [sys.executable, "-c", "while True: pass"]


def spin(seconds):
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


def mean(readings, since_ns):
    chosen = [reading.foreign for reading in readings if reading.t_ns > since_ns + 2e8]
    return sum(chosen) / len(chosen)


def foreign(watch: Watch) -> tuple[float, float]:
    """What is foreign while we are alone, and beside a loop of somebody else's."""
    began = time.perf_counter_ns()
    spin(1.5)
    alone = mean(watch.readings(until_ns=time.perf_counter_ns()), began)
    with subprocess.Popen(SPIN) as other:
        try:
            began = time.perf_counter_ns()
            spin(1.5)
            return alone, mean(watch.readings(until_ns=time.perf_counter_ns()), began)
        finally:
            other.kill()


def test_our_own_work_is_not_foreign_and_that_of_others_is():
    """Where all processors are taken already, one loop more is none: a quiet moment is waited for, asleep."""
    quiet = 0.5 * (os.cpu_count() or 1)
    with Watch() as watch:
        for _ in range(20):
            began = time.perf_counter_ns()
            time.sleep(1.5)
            alone = mean(watch.readings(until_ns=time.perf_counter_ns()), began)
            if alone < quiet:
                alone, beside = foreign(watch)
            if alone < quiet:
                break
    if alone >= quiet:
        pytest.skip(f"other processes keep {alone:.1f} processors busy")
    assert beside > 0.3
    assert beside > alone + 0.25


def test_readings_follow_each_other_and_go_on():
    with Watch(period=0.05) as watch:
        now = time.perf_counter_ns()
        first = list(watch.readings(until_ns=now + int(3e8)))
        again = watch.readings(until_ns=time.perf_counter_ns())
    times = [reading.t_ns for reading in again]
    assert times == sorted(times)
    assert len(again) >= len(first) >= 3
    assert again[: len(first)] == first


def test_the_watcher_ends_with_whom_it_watches_and_nothing_is_left(tmp_path):
    code = (
        "import os, signal, time\n"
        "from hpc.telemetry import Watch\n"
        "with Watch() as watch:\n"
        "    watch.readings(until_ns=time.perf_counter_ns())\n"
        "    print(watch._process.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 5
    while runs(int(ended.stdout)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not runs(int(ended.stdout)), "the watcher goes on"
    assert not list(tmp_path.iterdir())


def runs(pid):
    """Whether a process is there and has not ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
