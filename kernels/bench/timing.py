"""CUDA events around graph replays. Everything here needs a GPU.

Cold: before each call a buffer larger than L2 is overwritten. That work also keeps the queue full while the
host enqueues the next call, so the events see the device and not the host. Warm: calls follow one another in
one graph, long enough to hide its launch. An eager call is timed with its launches, as the host makes them.
"""

import torch

from kernels.bench.case import Call
from kernels.bench.chips import Chip, find
from kernels.bench.result import Launch, percentile

LEAST_FLUSH_BYTES = 256 * 2**20
WARM_MICROSECONDS = 300.0
MOST_CALLS_A_GRAPH = 100


class GpuStopwatch:
    """Times on the current CUDA device."""

    def __init__(self) -> None:
        properties = torch.cuda.get_device_properties(torch.cuda.current_device())
        self.chip: Chip | None = find(properties.name)
        size = max(4 * properties.L2_cache_size, LEAST_FLUSH_BYTES)
        self.flush = torch.empty(size // 4, dtype=torch.int32, device="cuda")

    def synchronise(self) -> None:
        """Waits until the device is idle."""
        torch.cuda.synchronize()

    def prepare(self, call: Call) -> "GpuTimed":
        """Captures the call once for cold calls and many times over for warm ones."""
        return GpuTimed(call, self.flush)

    def release(self) -> None:
        """Gives cached memory back, so that the next case starts from the same state."""
        torch.cuda.empty_cache()

    def overhead(self) -> float:
        """Microseconds of events around an all but empty graph: part of every cold time, not taken off."""
        tiny = torch.zeros(1, device="cuda")
        return percentile(self.prepare(Call(run=lambda: tiny.add_(1))).cold(100), 0.5)


class GpuTimed:
    """A call made ready."""

    def __init__(self, call: Call, flush: torch.Tensor) -> None:
        self.call, self.flush = call, flush
        self.launch: Launch = call.launch
        self.reason = ""
        self.once: torch.cuda.CUDAGraph | None = None
        self.many: torch.cuda.CUDAGraph | None = None
        self.calls_in_many = 1
        if call.launch == "graph":
            self._capture()

    def _capture(self) -> None:
        try:
            self.once = self._graph(1)
            estimate = percentile(self.cold(5), 0.5)
            self.calls_in_many = min(max(round(WARM_MICROSECONDS / estimate), 1), MOST_CALLS_A_GRAPH)
            self.many = self._graph(self.calls_in_many)
        except RuntimeError as error:
            torch.cuda.synchronize()
            self.once = self.many = None
            self.launch, self.calls_in_many = "eager", 1
            self.reason = "no graph: " + str(error).strip().split("\n")[0][:200]

    def _graph(self, calls: int) -> torch.cuda.CUDAGraph:
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(2):
                self.call.run()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            for _ in range(calls):
                self.call.run()
        graph.replay()
        torch.cuda.synchronize()
        return graph

    def cold(self, calls: int) -> list[float]:
        """Microseconds of each call, L2 overwritten before it."""
        pairs = _events(calls)
        torch.cuda.synchronize()
        for start, end in pairs:
            self.flush.zero_()
            start.record()
            if self.once is not None:
                self.once.replay()
            else:
                self.call.run()
            end.record()
        torch.cuda.synchronize()
        return [1e3 * start.elapsed_time(end) for start, end in pairs]

    def warm(self, calls: int) -> list[float]:
        """Microseconds a call in each of so many replays, one right after the other."""
        pairs = _events(calls)
        torch.cuda.synchronize()
        for start, end in pairs:
            start.record()
            if self.many is not None:
                self.many.replay()
            else:
                self.call.run()
            end.record()
        torch.cuda.synchronize()
        return [1e3 * start.elapsed_time(end) / self.calls_in_many for start, end in pairs]


def _events(pairs: int) -> list[tuple[torch.cuda.Event, torch.cuda.Event]]:
    def event() -> torch.cuda.Event:
        return torch.cuda.Event(enable_timing=True)

    return [(event(), event()) for _ in range(pairs)]
