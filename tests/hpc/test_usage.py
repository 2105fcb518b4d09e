import subprocess
import sys
import time
from pathlib import Path

import pytest

from hpc.usage import measured


def spin(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_wall_and_cpu_seconds_are_told_apart() -> None:
    with measured() as meter:
        time.sleep(0.2)
        spin(0.1)
    assert 0.29 < meter.usage.seconds < 5.0
    assert 0.09 < meter.usage.cpu_seconds < 0.25


def test_child_processes_count() -> None:
    with measured() as meter:
        program = "import time\nwhile time.process_time() < 0.3: pass"
        subprocess.run([sys.executable, "-c", program], check=True)
    assert meter.usage.cpu_seconds > 0.29


def test_peak_memory_is_that_of_the_span() -> None:
    """In a process of its own: what others freed or their threads still hold would move both readings."""
    program = (
        "from hpc.usage import measured\n"
        "size = 200 * 2**20\n"
        "block = bytearray(b'x') * size\n"
        "del block\n"
        "with measured() as small:\n    pass\n"
        "with measured() as large:\n    block = bytearray(b'x') * size\n    del block\n"
        "print((large.usage.peak_rss - small.usage.peak_rss) / size)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        encoding="utf-8",
    )
    assert 0.9 < float(done.stdout) < 1.1


def test_without_a_gpu_its_figures_are_unknown() -> None:
    with measured() as meter:
        pass
    assert (meter.usage.gpu_peak, meter.usage.gpu_seconds, meter.usage.energy_j) == (None, None, None)


def test_the_cost_of_a_failure_is_known_too() -> None:
    with pytest.raises(KeyError), measured() as meter:
        raise KeyError
    assert meter.usage.seconds >= 0


def test_measuring_loads_no_torch() -> None:
    program = "import sys, hpc.usage\nwith hpc.usage.measured(): pass\nsys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0


@pytest.mark.gpu
def test_a_gpu_is_metered() -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    with measured() as meter:
        matrix = torch.ones(4096, 4096, device="cuda")
        for _ in range(200):
            matrix = matrix @ matrix * 1e-4
        torch.cuda.synchronize()
    assert meter.usage.gpu_peak >= 3 * 4096 * 4096 * 4
    assert meter.usage.gpu_seconds == pytest.approx(meter.usage.seconds)
    assert meter.usage.energy_j > 0
