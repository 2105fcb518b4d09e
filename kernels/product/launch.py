"""Launchers: they allocate the result and start the kernel, and neither check nor wait."""

import functools

import torch
import triton
from torch import Tensor
from triton.tools.tensor_descriptor import TensorDescriptor

from kernels.dependent import dependent, launch_options
from kernels.product.device import few_rows_kernel, many_rows_kernel
from kernels.product.tiling import Tiling

GROUP = 8
"""Rows of tiles that are worked on side by side."""
WIDE = 256
"""Columns of a tile that is finished in halves."""


def run_product(
    x: Tensor, weight: Tensor, bias: Tensor | None, *, gelu: bool = False, tiling: Tiling
) -> Tensor:
    """x weight^T, with bias and GELU where there is one part.

    Args:
        x: [T, K] contiguous, bf16 or fp16.
        weight: [N, K] contiguous; block_n divides N and split * block_k divides K.
        bias: [N], or none is added; where K is split, none may be.
        gelu: whether to take GELU.
        tiling: how to cut the work.

    Returns:
        [T, N] of x's dtype, or [split, T, N] fp32 parts to be summed.
    """
    run = _few_rows if tiling.kind == "few_rows" else _many_rows
    return run(x, weight, bias, gelu, tiling)


def _few_rows(x: Tensor, weight: Tensor, bias: Tensor | None, gelu: bool, tiling: Tiling) -> Tensor:
    (T, K), N = x.shape, weight.shape[0]
    split = tiling.split
    out = x.new_empty((split, T, N), dtype=torch.float32) if split > 1 else x.new_empty(T, N)
    assert split == 1 or (bias is None and not gelu)
    few_rows_kernel[(N // tiling.block_n, triton.cdiv(T, tiling.block_m), split)](
        x, weight, weight if bias is None else bias, out, T, N=N, K=K,
        BLOCK_M=tiling.block_m, BLOCK_N=tiling.block_n, BLOCK_K=tiling.block_k, SPLIT=split,
        BIAS=bias is not None, GELU=gelu, PREFETCH=prefetched_at_once(K // split),
        DEPENDENT=dependent(x.device), num_warps=tiling.warps,
        num_stages=tiling.stages, enable_fp_fusion=True, **launch_options(x.device),
    )  # fmt: skip
    return out


def _many_rows(x: Tensor, weight: Tensor, bias: Tensor | None, gelu: bool, tiling: Tiling) -> Tensor:
    (T, K), N = x.shape, weight.shape[0]
    out = x.new_empty(T, N)
    halves = tiling.block_n >= WIDE
    programs = min(triton.cdiv(T, tiling.block_m) * (N // tiling.block_n), _processors(x.device))
    many_rows_kernel[(programs,)](
        TensorDescriptor.from_tensor(x, [tiling.block_m, tiling.block_k]),
        TensorDescriptor.from_tensor(weight, [tiling.block_n, tiling.block_k]),
        weight if bias is None else bias,
        TensorDescriptor.from_tensor(out, [tiling.block_m, tiling.block_n // (2 if halves else 1)]),
        T, N=N, K=K, BLOCK_M=tiling.block_m, BLOCK_N=tiling.block_n, BLOCK_K=tiling.block_k,
        PROGRAMS=_processors(x.device), GROUP=GROUP, HALVES=halves, BIAS=bias is not None, GELU=gelu,
        DEPENDENT=dependent(x.device), num_warps=tiling.warps, num_stages=tiling.stages,
        enable_fp_fusion=True, **launch_options(x.device),
    )  # fmt: skip
    return out


def prefetched_at_once(share: int) -> int:
    """Values of each weight's row: Triton's blocks are powers of two."""
    return share & -share


@functools.cache
def _processors(device: torch.device) -> int:
    if device.type == "cpu":
        return 2
    return torch.cuda.get_device_properties(device).multi_processor_count
