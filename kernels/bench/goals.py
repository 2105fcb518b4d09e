"""What the figures are held against, and whether they reach it.

Published: flash-attention, `assets/flash3_fp16_fwd.png` (Triton, H100 SXM, D = 64, S = 512: 340 TFLOP/s).
The other targets are this project's own. Those of the whole encoder: `python -m tests.benchmarks.gpu`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from kernels.bench.chips import Chip, Generation
from kernels.bench.result import Row

OURS = {"attention": "varlen_attention_qkv"}
"""The variant that a goal speaks of."""
PEERS = ("torch",)
"""How the names of other people's implementations start."""
ATTENTION = "attention"
VARLEN = "torch varlen"

ATTENTION_TFLOPS: dict[Generation, float] = {"A100": 150.0, "H100": 340.0}
ATTENTION_CELL = "32x512"
"""16k tokens, as the published figure has them."""

Verdict = Literal["met", "not met", "not measured"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    """A target and what came of it."""

    what: str
    target: str
    measured: str
    verdict: Verdict


def judge(rows: Iterable[Row], chip: Chip | None) -> list[Goal]:
    """Every goal that applies to this chip; without a known chip only the comparison with torch."""
    times = {(row.kernel, row.variant, row.workload): row for row in rows if row.cold and not row.fallbacks}
    goals = [_never_slower(times)]
    if chip is not None:
        goals.insert(0, _attention(times, chip))
    return goals


def _attention(times: dict[tuple[str, str, str], Row], chip: Chip) -> Goal:
    target = ATTENTION_TFLOPS[chip.generation]
    row = times.get((ATTENTION, OURS[ATTENTION], ATTENTION_CELL))
    reached = row.tflops if row else None
    return Goal(
        what=f"attention, {ATTENTION_CELL}",
        target=f">= {target:.0f} TFLOP/s",
        measured="" if reached is None else f"{reached:.0f} TFLOP/s",
        verdict=_verdict(None if reached is None else reached >= target),
    )


def _never_slower(times: dict[tuple[str, str, str], Row]) -> Goal:
    ratios = [
        (times[kernel, VARLEN, workload].cold.p50 / row.cold.p50, workload)  # type: ignore[union-attr]
        for (kernel, variant, workload), row in times.items()
        if (kernel, variant) == (ATTENTION, OURS[ATTENTION]) and (kernel, VARLEN, workload) in times
    ]
    worst = min(ratios, default=None)
    return Goal(
        what="attention, every length up to 512",
        target=">= 1.00x torch varlen",
        measured="" if worst is None else f"{worst[0]:.2f}x at worst ({worst[1]})",
        verdict=_verdict(None if worst is None else worst[0] >= 1.0),
    )


def _verdict(reached: bool | None) -> Verdict:
    if reached is None:
        return "not measured"
    return "met" if reached else "not met"
