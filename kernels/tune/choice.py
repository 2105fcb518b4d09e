"""Which tile is taken, given how long each takes. Arithmetic only.

A section of the table is one architecture, layout and head size. Its `default` cuts queries into blocks of 64
and its `large` into blocks of 128, whatever the timings say: only tiles of the same blocks compete.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kernels.tiles import Layout, Tile

Timings = Mapping[Tile, Mapping[str, float]]
"""Microseconds by workload; a tile that computes something wrong, or nothing, is not in it."""

WORTHWHILE = 0.99
"""A tile must take less than this share of the present one's time to replace it: noise moves nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """The tiles of one layout and head size."""

    layout: Layout
    size: str
    """As in the table: `d64`, or `d64-fp32` where fp32 has tiles of its own."""
    default: Tile
    large: Tile
    alternative: tuple[Tile, ...] = ()

    @property
    def head_dim(self) -> int:
        """D."""
        return int(self.size.removeprefix("d").partition("-")[0])

    @property
    def dtype(self) -> str:
        """What is timed: bf16 stands for fp16 too."""
        return "float32" if self.size.endswith("-fp32") else "bfloat16"

    @property
    def candidates(self) -> tuple[Tile, ...]:
        """Every tile, once."""
        return tuple(dict.fromkeys((self.default, self.large, *self.alternative)))


def sections(layouts: Mapping[str, Any]) -> list[Section]:
    """What the table holds for one architecture, as parsed from TOML."""
    return [
        Section(
            layout=layout,
            size=size,
            default=Tile(*roles["default"]),
            large=Tile(*roles["large"]),
            alternative=tuple(Tile(*row) for row in roles.get("alternative", ())),
        )
        for layout, sizes in layouts.items()
        for size, roles in sizes.items()
    ]


def choose(section: Section, timings: Timings, *, large_loads: Sequence[str]) -> Section:
    """The section with the fastest tiles; what they replace becomes an alternative.

    Args:
        section: as it is.
        timings: of its candidates; all on the same workloads.
        large_loads: the workloads that `large` is for; `default` is judged by all.

    Raises:
        ValueError: no tile of a role computes the right thing.
    """
    every = next(iter(timings.values()), {})
    default = _fastest(section.default, section.candidates, timings, tuple(every))
    large = _fastest(section.large, section.candidates, timings, large_loads)
    rest = tuple(tile for tile in section.candidates if tile not in (default, large))
    return replace(section, default=default, large=large, alternative=rest)


def _fastest(present: Tile, candidates: Sequence[Tile], timings: Timings, loads: Sequence[str]) -> Tile:
    rivals = [tile for tile in candidates if _cut(tile) == _cut(present) and tile in timings]
    if not rivals:
        raise ValueError(f"no tile of {present.block_m}x{present.block_n} is right: {present} is wrong too")
    means = {tile: mean(timings[tile], loads) for tile in rivals}
    best = min(means, key=means.__getitem__)
    if present in means and means[best] >= WORTHWHILE * means[present]:
        return present
    return best


def _cut(tile: Tile) -> tuple[int, int]:
    """What decides the order of a row's sums and may not change: blocks of queries and of keys."""
    return tile.block_m, tile.block_n


def mean(microseconds: Mapping[str, float], loads: Sequence[str]) -> float:
    """Geometric: each workload counts alike, however long it takes."""
    return math.exp(sum(math.log(microseconds[load]) for load in loads) / len(loads))
