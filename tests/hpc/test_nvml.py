"""NVML as its header has it, in a library of our own: what it tells arrives, and what it refuses is None."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Two GPUs with handles that need all 64 bits: the first tells everything, the second its name alone.
LIBRARY = r"""
#include <stdio.h>
typedef struct { unsigned pid; unsigned long long memory; unsigned gpu, compute; } process;
#define FIRST ((void *)0x7f00deadbee0)
#define SECOND ((void *)0x7f00deadbee8)
#define REFUSED 3
#define TELLS(name, type, told) int name(void *gpu, type *value) { \
    if (gpu == FIRST) *value = told; \
    return gpu == FIRST ? 0 : REFUSED; }
static int open_now;
int nvmlInit_v2(void) { open_now++; return 0; }
int nvmlShutdown(void) { open_now--; fprintf(stderr, "open: %d\n", open_now); return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 3; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **gpu) {
    if (index > 1) return 15;
    *gpu = index ? SECOND : FIRST;
    return 0;
}
int nvmlDeviceGetUUID(void *gpu, char *text, unsigned length) {
    if (length < 96 || (gpu != FIRST && gpu != SECOND)) return 7;
    sprintf(text, "GPU-%d", gpu == SECOND);
    return 0;
}
TELLS(nvmlDeviceGetTotalEnergyConsumption, unsigned long long, 5000000000123ULL)
TELLS(nvmlDeviceGetPowerUsage, unsigned, 612345)
TELLS(nvmlDeviceGetCurrentClocksEventReasons, unsigned long long, 0x44)
int nvmlDeviceGetClockInfo(void *gpu, int which, unsigned *mhz) {
    if (gpu != FIRST) return REFUSED;
    *mhz = which == 1 ? 1305 : which == 2 ? 2619 : 0;
    return 0;
}
int nvmlDeviceGetMaxClockInfo(void *gpu, int which, unsigned *mhz) {
    if (gpu != FIRST || which != 1) return REFUSED;
    *mhz = 1980;
    return 0;
}
int nvmlDeviceGetTemperature(void *gpu, int sensor, unsigned *celsius) {
    if (gpu != FIRST || sensor) return REFUSED;
    *celsius = 61;
    return 0;
}
int nvmlDeviceGetUtilizationRates(void *gpu, unsigned rates[2]) {
    if (gpu != FIRST) return REFUSED;
    rates[0] = 97; rates[1] = 41;
    return 0;
}
int nvmlDeviceGetMemoryInfo(void *gpu, unsigned long long sizes[3]) {
    if (gpu != FIRST) return REFUSED;
    sizes[0] = 80ULL << 30; sizes[1] = 60ULL << 30; sizes[2] = 20ULL << 30;
    return 0;
}
int nvmlDeviceGetComputeRunningProcesses_v3(void *gpu, unsigned *count, process *found) {
    if (gpu != FIRST || *count < 2) return REFUSED;
    for (int n = 0; n < 2; n++)
        found[n] = (process){ .pid = n + 1, .memory = 1ULL << 33, .gpu = ~0u, .compute = ~0u };
    *count = 2;
    return 0;
}
"""
READ = """
import json
from hpc.nvml import opened
names = "uuid energy_mj clock_mhz highest_clock_mhz memory_clock_mhz temperature_c power_mw reasons".split()
names += "utilization num_processes used_bytes".split()
with opened() as gpus:
    print(json.dumps([{name: getattr(gpu, name) for name in names} for gpu in gpus]))
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds it."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("nvml")
    (folder / "nvml.c").write_text(LIBRARY, encoding="ascii")
    command = [compiler, "-shared", "-fPIC", "-Wall", "-Werror", "-o", "libnvidia-ml.so.1", "nvml.c"]
    subprocess.run(command, cwd=folder, check=True)
    return folder


def python(code: str, library: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"LD_LIBRARY_PATH": str(library), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )


def test_every_number_is_the_one_that_was_told_and_what_is_refused_is_none(library: Path) -> None:
    done = python(READ, library)
    first, second = json.loads(done.stdout)
    assert first == {
        "uuid": "GPU-0",
        "energy_mj": 5_000_000_000_123,
        "clock_mhz": 1305,
        "highest_clock_mhz": 1980,
        "memory_clock_mhz": 2619,
        "temperature_c": 61,
        "power_mw": 612_345,
        "reasons": 0x44,
        "utilization": 97,
        "num_processes": 2,
        "used_bytes": 20 << 30,
    }
    assert second.pop("uuid") == "GPU-1"
    assert set(second.values()) == {None}
    assert done.stderr == "open: 0\n"


def test_a_watch_records_them_of_every_gpu(library: Path) -> None:
    code = (
        "import time\n"
        "from hpc.telemetry import Watch\n"
        "with Watch(period=0.05) as watch:\n"
        "    reading = watch.readings(until_ns=time.perf_counter_ns())[-1]\n"
        "for gpu in reading.gpus:\n"
        "    print(gpu.uuid, gpu.clock_mhz, gpu.highest_clock_mhz, gpu.reasons, gpu.energy_mj)\n"
    )
    done = python(code, library)
    told = ["GPU-0 1305 1980 68 5000000000123", "GPU-1 None None None None"]
    assert done.stdout.splitlines() == told
