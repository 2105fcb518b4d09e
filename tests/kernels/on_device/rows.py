"""Rows for the kernels under test, and how exact a result has to be."""

import torch

from tests.kernels.devices import generator

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
# XLM-R's, a power of two or not, then the odd ones: within a block of threads, and longer than one.
COLUMNS = [1024, 768, 384, 1, 7, 100, 1000, 2048, 8192]
MARGIN = 4096


def rows(*shape, dtype="fp32", seed=0):
    """Random values amid NaN, which a load beside them would bring in."""
    values = torch.randn(*shape, generator=generator(seed)).to(DTYPES[dtype])
    buffer = torch.full((values.numel() + 2 * MARGIN,), float("nan"), dtype=values.dtype)
    buffer[MARGIN:-MARGIN] = values.flatten()
    return buffer[MARGIN:-MARGIN].view(shape)


def assert_as_exact_as(out, unfused, exact):
    """Against float64 the error is at most twice what unfused PyTorch's is in the same dtype."""
    assert (out.dtype, out.shape) == (unfused.dtype, exact.shape)
    error, allowed = ((y.double() - exact).abs().max().item() for y in (out, unfused))
    assert error <= 2 * allowed + 1e-5  # NaN fails


def doubled(*tensors):
    return [x.double() if x.is_floating_point() else x for x in tensors]
