"""How many warps a program on rows takes: each thread loads 8 values, 16 bytes in half precision, at once."""

import torch

# Threads of a warp; AMD's wavefronts are twice as wide.
LANES = 64 if torch.version.hip else 32
VALUES = 8
MOST = 16


def lanes_of(arch: str) -> int:
    """Threads of a warp of an architecture such as sm_90 or gfx942."""
    return 64 if arch.startswith("gfx9") else 32


def warps_for(block: int, lanes: int) -> int:
    """Warps for a block of so many values."""
    return min(max(block // (VALUES * lanes), 1), MOST)
