"""What one timing is: a row of the JSON file and of the tables."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Launch = Literal["graph", "eager"]
Status = Literal["ok", "wrong", "unavailable"]


def percentile(samples: Sequence[float], share: float) -> float:
    """The value below which this share of the samples lies, interpolated between neighbours.

    Raises:
        ValueError: no samples, or a share outside 0 to 1.
    """
    if not samples or not 0.0 <= share <= 1.0:
        raise ValueError(f"no percentile {share} of {len(samples)} samples")
    ordered = sorted(samples)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


@dataclass(frozen=True, kw_only=True, slots=True)
class Times:
    """Microseconds of one call, many times over."""

    p50: float
    p90: float
    p99: float
    samples: tuple[float, ...]

    @classmethod
    def of(cls, samples: Sequence[float]) -> "Times":
        """Percentiles beside the raw microseconds."""
        p50, p90, p99 = (round(percentile(samples, share), 3) for share in (0.5, 0.9, 0.99))
        return cls(p50=p50, p90=p90, p99=p99, samples=tuple(round(sample, 3) for sample in samples))


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One implementation on one batch."""

    family: str
    kernel: str
    variant: str
    workload: str
    batch: int
    longest: int
    tokens: int
    padding: float
    dtype: str
    status: Status
    reason: str = ""
    """Why there is no time; for a graph that could not be captured, why launches are eager."""
    launch: Launch | None = None
    difference: float | None = None
    """Largest difference to the fp32 reference over real tokens."""
    tolerance: float | None = None
    first_call_seconds: float | None = None
    """Compilation included; later shapes of the same kernel compile nothing."""
    warm_up_seconds: float | None = None
    cold: Times | None = None
    """L2 flushed before every call."""
    warm: Times | None = None
    flop: float = 0.0
    """Over real tokens."""
    bytes: float = 0.0
    roof_us: float | None = None
    fallbacks: tuple[str, ...] = field(default=())

    @property
    def tflops(self) -> float | None:
        """TFLOP/s over real tokens, cold; None for a kernel without matrix products."""
        return self.flop / self.cold.p50 / 1e6 if self.cold and self.flop else None

    @property
    def gigabytes(self) -> float | None:
        """GB/s, cold."""
        return self.bytes / self.cold.p50 / 1e3 if self.cold and self.bytes else None

    @property
    def roof_share(self) -> float | None:
        """How much of the possible speed is reached."""
        return self.roof_us / self.cold.p50 if self.cold and self.roof_us else None
