"""What a piece of work cost: wall and CPU seconds, peak memory, and on NVIDIA GPUs peak memory and energy.

with measured() as meter:
    work()
meter.usage.seconds
"""

import ctypes
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any


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
    """Of the whole devices, other processes' share included."""


class Meter:
    """Holds the usage once the span is over."""

    usage: Usage


@contextmanager
def measured() -> Iterator[Meter]:
    """Measures the body; `meter.usage` is there afterwards, also when the body raised."""
    meter = Meter()
    _reset_peak_rss()
    for torch, device in _used_devices():
        torch.cuda.reset_peak_memory_stats(device)
    energy = _energy_counters()
    cpu = _cpu_seconds()
    start = time.perf_counter()
    try:
        yield meter
    finally:
        seconds = time.perf_counter() - start
        meter.usage = _finish(seconds, _cpu_seconds() - cpu, energy)


def _finish(seconds: float, cpu_seconds: float, energy_before: dict[str, float]) -> Usage:
    devices = _used_devices()
    energy = _energy_counters()
    used = [_uuid(torch, device) for torch, device in devices]
    known = bool(used) and all(uuid in energy_before and uuid in energy for uuid in used)
    return Usage(
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        peak_rss=_peak_rss(),
        gpu_peak=sum(torch.cuda.max_memory_allocated(device) for torch, device in devices) or None,
        gpu_seconds=seconds * len(devices) if devices else None,
        energy_j=sum(energy[uuid] - energy_before[uuid] for uuid in used) if known else None,
    )


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


def _used_devices() -> list[tuple[Any, int]]:
    """Devices with a CUDA context of ours; never imports torch nor initialises CUDA."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return []
    return [(torch, device) for device in range(torch.cuda.device_count()) if _in_use(torch, device)]


def _in_use(torch: Any, device: int) -> bool:
    return bool(device == torch.cuda.current_device() or torch.cuda.memory_reserved(device) > 0)


def _uuid(torch: Any, device: int) -> str:
    uuid = str(torch.cuda.get_device_properties(device).uuid)
    return uuid if uuid.startswith(("GPU-", "MIG-")) else f"GPU-{uuid}"


def _energy_counters() -> dict[str, float]:
    """Joules on the energy counter of each GPU of the machine, by UUID; GPUs older than Volta have none."""
    try:
        nvml = ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return {}
    if nvml.nvmlInit_v2() != 0:
        return {}
    counters = {}
    count = ctypes.c_uint()
    nvml.nvmlDeviceGetCount_v2(ctypes.byref(count))
    for index in range(count.value):
        handle, millijoules = ctypes.c_void_p(), ctypes.c_ulonglong()
        uuid = ctypes.create_string_buffer(96)
        if (
            nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(handle)) == 0
            and nvml.nvmlDeviceGetUUID(handle, uuid, len(uuid)) == 0
            and nvml.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(millijoules)) == 0
        ):
            counters[uuid.value.decode()] = millijoules.value / 1000
    nvml.nvmlShutdown()
    return counters
