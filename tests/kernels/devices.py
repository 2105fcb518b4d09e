"""Where the kernels run that are under test: interpreted on the CPU, or compiled on a GPU."""

import os

import numpy as np
import torch

from kernels.packing import Packed, from_lengths

DEVICE = "cuda" if os.environ.get("STILTS_TEST_DEVICE") == "cuda" else "cpu"
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
PRECISION = "ieee"
"""Of fp32 products: exact on either, so that tests can be, too."""


def generator(seed: int = 0) -> torch.Generator:
    """Random numbers beside the tensors."""
    return torch.Generator(DEVICE).manual_seed(seed)


def packed(lengths, block_m=64) -> Packed:
    """Sequences of one id."""
    return from_lengths(np.full(sum(lengths), 9), lengths, block_m=block_m).to(DEVICE)
