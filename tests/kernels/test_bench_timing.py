"""The stopwatch on a pretended device: what lies between its events, and what a failed capture turns into."""

import contextlib

import pytest
import torch

from kernels.bench.case import Call
from kernels.bench.timing import GpuStopwatch, GpuTimed

CALL, REPLAY, FLUSH = 10.0, 2.0, 100.0


class Device:
    """Microseconds pass only by what is run on it."""

    def __init__(self):
        self.clock, self.flushes, self.graph, self.capture = 0.0, 0, None, "works"

    def run(self):
        if self.graph is not None:
            self.graph.calls += 1
        else:
            self.clock += CALL
        return torch.empty(0)

    def zero_(self):
        self.clock += FLUSH
        self.flushes += 1


@pytest.fixture
def device(monkeypatch):
    device = Device()

    class Event:
        def __init__(self, *, enable_timing):
            assert enable_timing

        def record(self):
            self.at = device.clock

        def elapsed_time(self, other):
            return (other.at - self.at) / 1e3

    class Graph:
        calls = 0

        def replay(self):
            device.clock += REPLAY + CALL * self.calls

    class Stream:
        def wait_stream(self, other):
            pass

    @contextlib.contextmanager
    def graph(into):
        if device.capture == "fails":
            raise RuntimeError("operation not permitted when stream is capturing\nCUDA says more")
        device.graph = into
        yield
        device.graph = None

    pretended = {
        "Event": Event,
        "CUDAGraph": Graph,
        "Stream": Stream,
        "current_stream": Stream,
        "graph": graph,
    }
    pretended |= {"stream": lambda stream: contextlib.nullcontext(), "synchronize": lambda: None}
    for name, value in pretended.items():
        monkeypatch.setattr(torch.cuda, name, value)
    return device


def test_a_cold_call_is_one_replay_after_a_flush_that_is_not_timed(device):
    timed = GpuTimed(Call(run=device.run), device)
    before = device.flushes
    assert timed.cold(3) == pytest.approx([REPLAY + CALL] * 3)
    assert device.flushes == before + 3
    assert (timed.launch, timed.reason) == ("graph", "")


def test_warm_calls_share_a_replay_and_nothing_is_flushed(device):
    timed = GpuTimed(Call(run=device.run), device)
    before = device.flushes
    assert timed.calls_in_many == 25
    assert timed.warm(2) == pytest.approx([CALL + REPLAY / 25] * 2)
    assert device.flushes == before


def test_what_is_to_be_launched_is_not_captured(device):
    timed = GpuTimed(Call(run=device.run, launch="eager"), device)
    assert (timed.once, timed.many, timed.launch) == (None, None, "eager")
    assert timed.cold(2) == timed.warm(2) == pytest.approx([CALL] * 2)


def test_what_cannot_be_captured_is_launched_and_says_why(device):
    device.capture = "fails"
    timed = GpuTimed(Call(run=device.run), device)
    assert timed.launch == "eager"
    assert timed.reason == "no graph: operation not permitted when stream is capturing"
    assert timed.cold(1) == pytest.approx([CALL])


def test_the_stopwatch_knows_its_chip_and_the_size_of_its_cache(monkeypatch):
    class Properties:
        name, L2_cache_size = "NVIDIA H100 80GB HBM3", 50 * 2**20

    asked = []
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: Properties)
    monkeypatch.setattr(torch, "empty", lambda size, dtype, device: asked.append((size, dtype)))
    stopwatch = GpuStopwatch()
    assert stopwatch.chip.name == "H100 SXM"
    # 256 MiB, four bytes an element: more than four times this L2.
    assert asked == [(64 * 2**20, torch.int32)]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_is_timed():
    stopwatch = GpuStopwatch()
    x = torch.randn(4096, 4096, device="cuda", dtype=torch.bfloat16)
    timed = stopwatch.prepare(Call(run=lambda: x @ x))
    assert timed.launch == "graph"
    assert min(timed.cold(20)) > 0
    assert min(timed.warm(20)) > 0
    assert stopwatch.overhead() > 0
