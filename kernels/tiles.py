"""How the attention kernels cut their work: a fixed table by architecture, nothing is tuned while serving.

    tile = tile_for("sm_90", "packed_qkv", "default", head_dim=64, dtype="bf16")

The table is `configs.toml`. A tile is chosen by what the tensors are, never by what else is in the batch: one
configuration an architecture, layout, head size and dtype keeps a sequence's bits the same in any company.
"""

import functools
import logging
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

log = logging.getLogger("kernels")

CONFIGS = Path(__file__).with_name("configs.toml")

Layout = Literal["packed_qkv", "strided"]
Role = Literal["default", "large", "alternative"]
DType = Literal["bf16", "fp16", "fp32"]


@dataclass(frozen=True, slots=True)
class Tile:
    """How one program's work is cut."""

    block_m: int
    """Queries a program takes."""
    block_n: int
    """Keys it handles at a time."""
    warps: int
    """Warps it runs on."""
    stages: int
    """Blocks of keys under way at once."""

    def __str__(self) -> str:
        return f"{self.block_m}x{self.block_n}-w{self.warps}-s{self.stages}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One tile of the table, and what for."""

    layout: Layout
    head_dim: int
    dtype: DType
    role: Role
    tile: Tile


def tile_for(
    arch: str,
    layout: Layout,
    role: Literal["default", "large"] = "default",
    *,
    head_dim: int = 64,
    dtype: DType = "bf16",
) -> Tile:
    """The tile of a configuration.

    An architecture that is not in the table takes the tiles of the next older one, with a warning.

    Args:
        arch: such as sm_80 or gfx942.
        layout: of the tensors; padded ones count as strided.
        role: `default`, or `large` where there is work enough to fill the device with blocks of 128 queries.
        head_dim: 32, 64 or 128.
        dtype: of the tensors.

    Raises:
        ValueError: no such architecture or head size, nor an older one.
    """
    return _tile_for(arch, layout, role, head_dim, dtype)


@functools.cache
def _tile_for(arch: str, layout: Layout, role: Role, head_dim: int, dtype: DType) -> Tile:
    for entry in entries(known_architecture(arch)):
        if (entry.layout, entry.role, entry.head_dim, entry.dtype) == (layout, role, head_dim, dtype):
            return entry.tile
    raise ValueError(f"no tile for {arch}, {layout}, {role}, head size {head_dim}, {dtype}")


@functools.cache
def known_architecture(arch: str) -> str:
    """The architecture whose tiles a device takes: its own, or the next older.

    Raises:
        ValueError: it is older than all in the table, or of another type.
    """
    table = read()
    if arch in table:
        return arch
    make, number = _generation(arch)
    older = [name for name in table if _generation(name)[0] == make and _generation(name)[1] < number]
    if not older:
        raise ValueError(f"no tiles for {arch} or an older one; the table has {', '.join(table)}")
    taken = max(older, key=_generation)
    log.warning("no tiles for %s in %s: those of %s are taken", arch, CONFIGS.name, taken)
    return taken


def entries(arch: str) -> Iterator[Entry]:
    """Every tile of an architecture of the table, fp16 and fp32 spelt out."""
    for layout, sizes in read()[arch].items():
        for size, roles in sizes.items():
            head_dim, _, dtype = size.removeprefix("d").partition("-")
            dtypes: list[Any] = [dtype] if dtype else ["bf16", "fp16"]
            if not dtype and f"{size}-fp32" not in sizes:
                dtypes.append("fp32")
            for role, rows in roles.items():
                for row in rows if role == "alternative" else [rows]:
                    for name in dtypes:
                        yield Entry(
                            layout=layout, head_dim=int(head_dim), dtype=name, role=role, tile=Tile(*row)
                        )


def _generation(arch: str) -> tuple[str, int]:
    """("sm", 80) of sm_80, ("gfx", 0x942) of gfx942."""
    if arch.startswith("sm_"):
        return "sm", int(arch[3:])
    return "gfx", int(arch.removeprefix("gfx"), 16)


@functools.cache
def read() -> Mapping[str, Any]:
    """The table: architecture, layout, head size, role, and [block_m, block_n, warps, stages]."""
    return tomllib.loads(CONFIGS.read_text(encoding="utf-8"))
