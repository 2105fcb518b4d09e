"""What the figures were taken on: GPU, clocks, power, driver, versions, and the tiles the kernels choose."""

import platform
import subprocess
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

import torch

FIELDS = (
    "name",
    "driver_version",
    "clocks.sm",
    "clocks.mem",
    "clocks.max.sm",
    "power.limit",
    "power.draw",
    "temperature.gpu",
    "persistence_mode",
    "clocks_event_reasons.active",
)

# NVML's clock event reasons that make a figure doubtful.
SLOWED_BY = {
    0x04: "software power cap",
    0x08: "hardware slowdown",
    0x20: "software thermal slowdown",
    0x40: "hardware thermal slowdown",
    0x80: "power brake",
}


def describe() -> dict[str, object]:
    """The present device and the software on it."""
    properties = torch.cuda.get_device_properties(torch.cuda.current_device())
    return {
        "gpu": properties.name,
        "capability": list(torch.cuda.get_device_capability()),
        "multiprocessors": properties.multi_processor_count,
        "memory_bytes": properties.total_memory,
        "l2_bytes": properties.L2_cache_size,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "python": platform.python_version(),
        "host": platform.machine(),
        "versions": {name: _version(name) for name in ("torch", "triton", "transformers")},
        "before": snapshot(),
    }


def snapshot() -> dict[str, str]:
    """Clocks, power and temperature now, as nvidia-smi says."""
    properties = torch.cuda.get_device_properties(torch.cuda.current_device())
    command = ["nvidia-smi", f"--query-gpu={','.join(FIELDS)}", "--format=csv,noheader"]
    try:
        answer = subprocess.run(
            [*command, f"--id=GPU-{str(properties.uuid).removeprefix('GPU-')}"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            encoding="utf-8",
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"error": f"nvidia-smi: {error}"}
    if answer.returncode:
        return {"error": "nvidia-smi: " + (answer.stderr or answer.stdout).strip()[:200]}
    return parse(answer.stdout)


def parse(line: str) -> dict[str, str]:
    """One line of nvidia-smi's CSV in the order of `FIELDS`."""
    return dict(zip(FIELDS, (value.strip() for value in line.strip().split(",")), strict=True))


def slowed(state: dict[str, str]) -> list[str]:
    """Why the clock is below what it should be, if it is."""
    mask = state.get("clocks_event_reasons.active", "")
    if not mask.startswith("0x"):
        return []
    return [name for bit, name in SLOWED_BY.items() if int(mask, 16) & bit]


def architecture() -> str:
    """As the tile table names it, `sm_90`."""
    from kernels.ops.dispatch import architecture as named

    return named(torch.device("cuda", torch.cuda.current_device()))


def chosen_tiles(arch: str) -> dict[str, dict[str, int]]:
    """The tiles this architecture gets, by layout and role; none: it is too old for the kernels."""
    from kernels.tiles import known_architecture, tile_for

    try:
        known_architecture(arch)
    except ValueError:
        return {}
    layouts: tuple[Literal["packed_qkv", "strided"], ...] = ("packed_qkv", "strided")
    roles: tuple[Literal["default", "large"], ...] = ("default", "large")
    return {f"{layout}/{role}": asdict(tile_for(arch, layout, role)) for layout in layouts for role in roles}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
