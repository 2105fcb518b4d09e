"""Batches to time: dense ones, and ragged ones as evaluation sets have them. Lengths only, no tensors."""

import math
import random
from dataclasses import dataclass
from typing import Literal

Extent = Literal["full", "quick"]

BATCHES = (1, 8, 32, 128)
LENGTHS = (64, 128, 384, 512)
QUICK = ((1, 128), (8, 384), (32, 128), (32, 512))


@dataclass(frozen=True, kw_only=True, slots=True)
class Workload:
    """The lengths of one batch."""

    name: str
    lengths: tuple[int, ...]

    @property
    def batch(self) -> int:
        """B."""
        return len(self.lengths)

    @property
    def longest(self) -> int:
        """S."""
        return max(self.lengths)

    @property
    def tokens(self) -> int:
        """T: real tokens."""
        return sum(self.lengths)

    @property
    def kind(self) -> Literal["dense", "ragged"]:
        """Whether all lengths are one."""
        return "dense" if min(self.lengths) == self.longest else "ragged"

    @property
    def padding(self) -> float:
        """The share of a padded batch that is no token."""
        return 1.0 - self.tokens / (self.batch * self.longest)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mix:
    """Log-normal lengths, cut to a range."""

    name: str
    mean: float
    sigma: float
    """Standard deviation of the logarithm."""
    shortest: int
    longest: int

    def draw(self, batch: int, seed: int = 0) -> tuple[int, ...]:
        """So many lengths; the same for the same seed."""
        source = random.Random(f"{self.name}/{batch}/{seed}")
        mu = math.log(self.mean) - self.sigma**2 / 2
        drawn = (round(source.lognormvariate(mu, self.sigma)) for _ in range(batch))
        return tuple(min(max(length, self.shortest), self.longest) for length in drawn)


XNLI = Mix(name="XNLI-like", mean=42, sigma=0.45, shortest=8, longest=128)
QA = Mix(name="QA-like", mean=190, sigma=0.45, shortest=48, longest=384)


def dense(batch: int, length: int) -> Workload:
    """B sequences of S tokens."""
    return Workload(name=f"{batch}x{length}", lengths=(length,) * batch)


def ragged(mix: Mix, batch: int) -> Workload:
    """B sequences of a mix."""
    return Workload(name=f"{mix.name} {batch}", lengths=mix.draw(batch))


def workloads(extent: Extent) -> tuple[Workload, ...]:
    """What a run times."""
    if extent == "quick":
        return (*(dense(*cell) for cell in QUICK), ragged(XNLI, 32))
    return (
        *(dense(batch, length) for batch in BATCHES for length in LENGTHS),
        *(ragged(XNLI, batch) for batch in (8, 32, 128)),
        *(ragged(QA, batch) for batch in (8, 32)),
    )
