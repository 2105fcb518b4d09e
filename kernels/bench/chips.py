"""What the GPUs can do at best: one row a card, from the makers' data sheets (dense bf16, boost clock)."""

from dataclasses import dataclass
from typing import Literal

Generation = Literal["A100", "H100"]

EXPONENTIALS_PER_CLOCK = 16
"""Special-function results a multiprocessor delivers each clock, on Ampere and on Hopper."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chip:
    """One card."""

    name: str
    words: tuple[str, ...]
    """All of them occur in the device name that CUDA gives, whatever the case."""
    generation: Generation
    """Whose goals apply: the H200 is an H100 with faster memory."""
    tflops: float
    """Dense bf16 matrix products, 1e12 operations a second."""
    terabytes: float
    """Memory bandwidth, 1e12 bytes a second."""
    multiprocessors: int
    gigahertz: float

    @property
    def flops(self) -> float:
        """Operations a second."""
        return self.tflops * 1e12

    @property
    def bandwidth(self) -> float:
        """Bytes a second."""
        return self.terabytes * 1e12

    @property
    def exponentials(self) -> float:
        """Exponentials a second."""
        return EXPONENTIALS_PER_CLOCK * self.multiprocessors * self.gigahertz * 1e9


def _chip(
    name: str,
    words: str,
    generation: Generation,
    tflops: float,
    terabytes: float,
    multiprocessors: int,
    gigahertz: float,
) -> Chip:
    return Chip(
        name=name,
        words=tuple(words.split()),
        generation=generation,
        tflops=tflops,
        terabytes=terabytes,
        multiprocessors=multiprocessors,
        gigahertz=gigahertz,
    )


# The first row whose words fit is taken: the particular before the general.
CHIPS = (
    _chip("A100 SXM 80 GB", "a100-sxm 80gb", "A100", 312, 2.039, 108, 1.41),
    _chip("A100 SXM 40 GB", "a100-sxm 40gb", "A100", 312, 1.555, 108, 1.41),
    _chip("A100 PCIe 80 GB", "a100 80gb pcie", "A100", 312, 1.935, 108, 1.41),
    _chip("A100 PCIe 40 GB", "a100-pcie 40gb", "A100", 312, 1.555, 108, 1.41),
    _chip("H200 NVL", "h200 nvl", "H100", 835, 4.8, 132, 1.545),
    _chip("H200 SXM", "h200", "H100", 989, 4.8, 132, 1.755),
    _chip("H100 NVL", "h100 nvl", "H100", 835, 3.9, 132, 1.545),
    _chip("H100 PCIe", "h100 pcie", "H100", 756, 2.0, 114, 1.62),
    _chip("H100 SXM", "h100 hbm3", "H100", 989, 3.35, 132, 1.755),
)


def named(name: str) -> Chip:
    """The row of this name.

    Raises:
        ValueError: there is none.
    """
    for chip in CHIPS:
        if chip.name == name:
            return chip
    raise ValueError(f"no chip {name!r}; known: {', '.join(chip.name for chip in CHIPS)}")


def find(device_name: str) -> Chip | None:
    """The row of a CUDA device name such as `NVIDIA H100 80GB HBM3`; None: its limits are not known here."""
    lowered = device_name.lower().replace("gh200", "")
    for chip in CHIPS:
        if all(word in lowered for word in chip.words):
            return chip
    return None
