"""Energy counters: of the NVIDIA GPUs this process uses, or of the processors where it uses none.

before = counters()
work()
joules = since(before)      # None where nothing can be read
"""

import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from hpc import nvml

_RAPL = Path("/sys/class/powercap")


def counters() -> dict[str, float]:
    """Joules on every counter of the machine that can be read, by the device's name."""
    return _gpu_counters() | _package_counters()


def since(before: dict[str, float]) -> float | None:
    """Joules since then: of the whole devices that this process uses, other processes' share included.

    Args:
        before: what `counters` gave.

    Returns:
        None where a device has no counter; GPUs older than Volta have none.
    """
    now = counters()
    used = used_gpus() or [name for name in before if name.startswith("package")]
    if not used or any(name not in before or name not in now for name in used):
        return None
    return sum(_difference(name, before[name], now[name]) for name in used)


def used_gpus() -> list[str]:
    """UUIDs of the GPUs with a CUDA context of ours; never imports torch nor initialises CUDA."""
    return [_uuid(torch, device) for torch, device in used_devices()]


def used_devices() -> list[tuple[Any, int]]:
    """torch with the number of each GPU that has a CUDA context of ours."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return []
    return [(torch, device) for device in range(torch.cuda.device_count()) if _in_use(torch, device)]


def _in_use(torch: Any, device: int) -> bool:
    return bool(device == torch.cuda.current_device() or torch.cuda.memory_reserved(device) > 0)


def _uuid(torch: Any, device: int) -> str:
    uuid = str(torch.cuda.get_device_properties(device).uuid)
    return uuid if uuid.startswith(("GPU-", "MIG-")) else f"GPU-{uuid}"


def _difference(name: str, before: float, now: float) -> float:
    """Counters of processors begin again at zero every hour or so."""
    if now >= before:
        return now - before
    with suppress(OSError, ValueError):
        zone = _RAPL / name.partition(" ")[2] / "max_energy_range_uj"
        return now - before + int(zone.read_text(encoding="utf-8")) / 1e6
    return 0.0


def _package_counters() -> dict[str, float]:
    """Of each processor package, where the kernel lets us read it."""
    found = {}
    for zone in sorted(_RAPL.glob("intel-rapl:?")):
        with suppress(OSError, ValueError):
            found[f"package {zone.name}"] = int((zone / "energy_uj").read_text(encoding="utf-8")) / 1e6
    return found


def _gpu_counters() -> dict[str, float]:
    """Of each GPU of the machine, by UUID."""
    with nvml.opened() as gpus:
        read = [(gpu.uuid, gpu.energy_mj) for gpu in gpus]
    return {uuid: energy / 1000 for uuid, energy in read if uuid is not None and energy is not None}
