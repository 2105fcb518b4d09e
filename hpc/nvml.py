"""What the driver's library NVML tells of the GPUs of a machine; nothing where there is none.

with opened() as gpus:
    gpus[0].clock_mhz
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

_SM, _MEMORY = 1, 2
_MOST_PROCESSES = 64


class _Process(ctypes.Structure):
    """nvmlProcessInfo_v2_t."""

    _fields_ = (
        ("pid", ctypes.c_uint),
        ("memory", ctypes.c_ulonglong),
        ("gpu_instance", ctypes.c_uint),
        ("compute_instance", ctypes.c_uint),
    )


class _Utilization(ctypes.Structure):
    """nvmlUtilization_t."""

    _fields_ = (("gpu", ctypes.c_uint), ("memory", ctypes.c_uint))


class _Memory(ctypes.Structure):
    """nvmlMemory_t."""

    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU; what it does not tell is None."""

    nvml: Any
    handle: Any

    @property
    def uuid(self) -> str | None:
        """Its name among all GPUs."""
        text = ctypes.create_string_buffer(96)
        failed = self.nvml.nvmlDeviceGetUUID(self.handle, text, ctypes.c_uint(len(text)))
        return None if failed else text.value.decode()

    @property
    def energy_mj(self) -> int | None:
        """Millijoules since the driver was loaded; GPUs older than Volta do not count."""
        return self._number("nvmlDeviceGetTotalEnergyConsumption", ctypes.c_ulonglong)

    @property
    def clock_mhz(self) -> int | None:
        """Of the multiprocessors, now."""
        return self._number("nvmlDeviceGetClockInfo", ctypes.c_uint, ctypes.c_int(_SM))

    @property
    def highest_clock_mhz(self) -> int | None:
        """Of the multiprocessors, at most."""
        return self._number("nvmlDeviceGetMaxClockInfo", ctypes.c_uint, ctypes.c_int(_SM))

    @property
    def memory_clock_mhz(self) -> int | None:
        """Of the memory, now."""
        return self._number("nvmlDeviceGetClockInfo", ctypes.c_uint, ctypes.c_int(_MEMORY))

    @property
    def temperature_c(self) -> int | None:
        """Of the chip."""
        return self._number("nvmlDeviceGetTemperature", ctypes.c_uint, ctypes.c_int(0))

    @property
    def power_mw(self) -> int | None:
        """Milliwatts, now."""
        return self._number("nvmlDeviceGetPowerUsage", ctypes.c_uint)

    @property
    def reasons(self) -> int | None:
        """Why the clock is what it is, as NVML's bits.

        0x4 is the software's power cap, 0x8 the hardware's slowdown, 0x20 and 0x40 heat, 0x80 the brake.
        """
        for name in (
            "nvmlDeviceGetCurrentClocksEventReasons",
            "nvmlDeviceGetCurrentClocksThrottleReasons",
        ):
            if hasattr(self.nvml, name):
                return self._number(name, ctypes.c_ulonglong)
        return None

    @property
    def utilization(self) -> int | None:
        """Per cent of the last moment in which a kernel ran."""
        found = _Utilization()
        failed = self.nvml.nvmlDeviceGetUtilizationRates(self.handle, ctypes.byref(found))
        return None if failed else int(found.gpu)

    @property
    def num_processes(self) -> int | None:
        """Processes that compute on it. In a container their numbers are the host's: only how many counts."""
        if not hasattr(self.nvml, "nvmlDeviceGetComputeRunningProcesses_v3"):
            return None
        count, found = ctypes.c_uint(_MOST_PROCESSES), (_Process * _MOST_PROCESSES)()
        failed = self.nvml.nvmlDeviceGetComputeRunningProcesses_v3(self.handle, ctypes.byref(count), found)
        return None if failed else int(count.value)

    @property
    def used_bytes(self) -> int | None:
        """Memory in use, by whomever."""
        found = _Memory()
        failed = self.nvml.nvmlDeviceGetMemoryInfo(self.handle, ctypes.byref(found))
        return None if failed else int(found.used)

    def _number(self, function: str, kind: Any, *arguments: Any) -> int | None:
        found = kind()
        failed = getattr(self.nvml, function)(self.handle, *arguments, ctypes.byref(found))
        return None if failed else int(found.value)


@contextmanager
def opened() -> Iterator[list[Gpu]]:
    """The machine's GPUs; none where the driver is not there."""
    try:
        nvml = ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        yield []
        return
    if nvml.nvmlInit_v2() != 0:
        yield []
        return
    try:
        count = ctypes.c_uint()
        nvml.nvmlDeviceGetCount_v2(ctypes.byref(count))
        found = []
        for index in range(count.value):
            handle = ctypes.c_void_p()
            if nvml.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(index), ctypes.byref(handle)) == 0:
                found.append(Gpu(nvml, handle))
        yield found
    finally:
        nvml.nvmlShutdown()
