"""Tiles on the present GPU: are they right, are their bits alike, how long do they take."""

import dataclasses
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from kernels.bench.attention import by_sequence
from kernels.bench.case import FLOOR, Call, Stopwatch
from kernels.bench.result import percentile
from kernels.bench.workloads import QA, XNLI, Workload, dense, ragged
from kernels.packing import from_lengths
from kernels.tiles import Tile
from kernels.tune.choice import Section

HIDDEN = 1024
LOADS = (
    *(dense(1, 128), dense(8, 384), dense(32, 64), dense(32, 128), dense(32, 512)),
    *(ragged(XNLI, 32), ragged(QA, 8)),
)
LARGE_LOADS = ("32x128", "32x512")
"""Those with blocks of 128 queries enough to fill a device twice."""
GATE = Workload(name="gate", lengths=(1, 63, 64, 65, 127, 128, 129, 200, 384, 17))
CALLS = 100

Launch = Callable[[Section, Tile, Tensor, Workload], Callable[[], Tensor]]


def launch(section: Section, tile: Tile, qkv: Tensor, load: Workload) -> Callable[[], Tensor]:
    """A call of the section's kernel with this tile on [T, 3, H, D]."""
    from kernels.attention import run_packed_qkv, run_strided

    ids = torch.full((load.tokens,), 5)
    packed = from_lengths(ids, load.lengths, block_m=tile.block_m).to(qkv.device)
    scale = section.head_dim**-0.5
    if section.layout == "packed_qkv":
        return lambda: run_packed_qkv(qkv, packed.cu_seqlens, packed.blocks, scale=scale, tile=tile)[0]
    q, k, v = qkv.unbind(1)
    return lambda: run_strided(q, k, v, packed.cu_seqlens, packed.blocks, scale=scale, tile=tile)[0]


@torch.no_grad()
def timings(
    section: Section,
    stopwatch: Stopwatch,
    *,
    loads: Sequence[Workload] = LOADS,
    device: str = "cuda",
    launch: Launch = launch,
) -> tuple[dict[Tile, dict[str, float]], dict[Tile, str]]:
    """Microseconds of every right candidate on every workload, and why the others are left out."""
    found: dict[Tile, dict[str, float]] = {}
    refused: dict[Tile, str] = {}
    gate = inputs(section, GATE, device)
    wanted = by_sequence(gate, GATE.lengths, torch.float32)
    unfused = by_sequence(gate, GATE.lengths, gate.dtype).float()
    # fp32 is multiplied as TF32, whose 10 bits leave 2 ** -10 of values up to 5, twice.
    floor = 1e-2 if gate.dtype is torch.float32 else FLOOR
    tolerance = 2.0 * float((unfused - wanted).abs().max()) + floor
    for tile in section.candidates:
        try:
            out = launch(section, tile, gate, GATE)().float()
        except Exception as error:  # a tile that does not compile here is no candidate here
            refused[tile] = f"{type(error).__name__}: {str(error).strip()[:120]}"
            continue
        difference = float((out - wanted).abs().max())
        if not difference <= tolerance:
            refused[tile] = f"differs by {difference:.2e}, {tolerance:.2e} is allowed"
            continue
        found[tile] = {load.name: _time(section, tile, load, stopwatch, device, launch) for load in loads}
    return found, refused


def _time(
    section: Section, tile: Tile, load: Workload, stopwatch: Stopwatch, device: str, launch: Launch
) -> float:
    timed = stopwatch.prepare(Call(run=launch(section, tile, inputs(section, load, device), load)))
    return percentile(timed.cold(CALLS), 0.5)


def inputs(section: Section, load: Workload, device: str) -> Tensor:
    """[T, 3, H, D], the same for the same workload."""
    generator = torch.Generator(device).manual_seed(load.tokens)
    size = (load.tokens, 3, HIDDEN // section.head_dim, section.head_dim)
    return torch.randn(size, generator=generator, device=device).to(getattr(torch, section.dtype))


@torch.no_grad()
def bits(section: Section, *, device: str = "cuda", launch: Launch = launch) -> str:
    """Whether rows and warps change a result's bits: one line, as it goes into the table."""
    qkv = inputs(section, GATE, device)

    def compare(pairs: Sequence[tuple[Tile, Tile]]) -> str:
        try:
            outs = [[launch(section, tile, qkv, GATE)() for tile in pair] for pair in pairs]
        except Exception as error:
            return f"could not be compared ({type(error).__name__})"
        return "give equal bits" if all(torch.equal(*pair) for pair in outs) else "give different bits"

    small, large = section.default, section.large
    warps = [(tile, dataclasses.replace(tile, warps=8 if tile.warps == 4 else 4)) for tile in (small, large)]
    return (
        f"{small.block_m} and {large.block_m} queries {compare([(small, large)])}; "
        f"4 and 8 warps {compare(warps)}"
    )
