"""Launchers: they allocate the result and start the kernel, and neither check nor wait."""

import math
from typing import Literal

import torch
import triton
from torch import Tensor

from kernels.attention.device import packed_qkv_kernel, padded_kernel, strided_kernel
from kernels.dependent import dependent, launch_options
from kernels.tiles import Tile

Precision = Literal["tf32", "ieee"]
LOG2_E = math.log2(math.e)


def run_packed_qkv(
    qkv: Tensor,
    cu_seqlens: Tensor,
    blocks: Tensor,
    *,
    scale: float,
    tile: Tile,
    with_lse: bool = False,
    precision: Precision = "tf32",
) -> tuple[Tensor, Tensor]:
    """Attention within each packed sequence.

    Args:
        qkv: [T, 3, H, D], contiguous.
        cu_seqlens: [B + 1] int32, the cumulative lengths.
        blocks: [R, 2] int32, made for `tile.block_m`.
        scale: factor on the scores, positive.
        tile: how to cut the work.
        with_lse: whether the log-sum-exp of the scores is wanted.
        precision: of the products of fp32.

    Returns:
        [T, H, D] of qkv's dtype, and [H, T] fp32, natural logarithm, or empty.
    """
    T, three, H, D = qkv.shape
    assert three == 3
    assert qkv.is_contiguous()
    assert scale > 0
    out = qkv.new_empty(T, H, D)
    lse = qkv.new_empty((H, T) if with_lse else (0,), dtype=torch.float32)
    if len(blocks):
        packed_qkv_kernel[(len(blocks) * H,)](
            qkv, out, lse, cu_seqlens, blocks, scale * LOG2_E, T,
            HEADS=H, HEAD_DIM=D, BLOCK_M=tile.block_m, BLOCK_N=tile.block_n, WITH_LSE=with_lse,
            PRECISION=precision, DEPENDENT=dependent(out.device), num_warps=tile.warps,
            num_stages=tile.stages, enable_fp_fusion=True, **launch_options(out.device),
        )  # fmt: skip
    return out, lse


def run_strided(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    cu_seqlens: Tensor,
    blocks: Tensor,
    *,
    scale: float,
    tile: Tile,
    with_lse: bool = False,
    precision: Precision = "tf32",
) -> tuple[Tensor, Tensor]:
    """Attention within each packed sequence, from three tensors.

    Args:
        q: [T, H, D], as are k and v; the last dimension contiguous, other strides divisible by 16.
        k: keys.
        v: values.
        cu_seqlens: [B + 1] int32, the cumulative lengths.
        blocks: [R, 2] int32, made for `tile.block_m`.
        scale: factor on the scores, positive.
        tile: how to cut the work.
        with_lse: whether the log-sum-exp of the scores is wanted.
        precision: of the products of fp32.

    Returns:
        [T, H, D] of q's dtype, and [H, T] fp32, natural logarithm, or empty.
    """
    T, H, D = q.shape
    strides = [size for x in (q, k, v) for size in x.stride()[:2]]
    assert k.shape == v.shape == q.shape
    assert scale > 0
    assert all(x.stride(2) == 1 for x in (q, k, v))
    assert not any(size % 16 for size in strides)
    out = q.new_empty(T, H, D)
    lse = q.new_empty((H, T) if with_lse else (0,), dtype=torch.float32)
    if len(blocks):
        strided_kernel[(len(blocks) * H,)](
            q, k, v, out, lse, cu_seqlens, blocks, scale * LOG2_E, T, *strides,
            HEADS=H, HEAD_DIM=D, BLOCK_M=tile.block_m, BLOCK_N=tile.block_n, WITH_LSE=with_lse,
            PRECISION=precision, DEPENDENT=dependent(out.device), num_warps=tile.warps,
            num_stages=tile.stages, enable_fp_fusion=True, **launch_options(out.device),
        )  # fmt: skip
    return out, lse


def run_padded(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    lengths: Tensor,
    *,
    scale: float,
    tile: Tile,
    precision: Precision = "tf32",
) -> Tensor:
    """Attention within each right-padded sequence.

    Args:
        q: [B, H, S, D], as are k and v; the last dimension contiguous, other strides divisible by 16.
        k: keys.
        v: values.
        lengths: [B] int32, at most S.
        scale: factor on the scores, positive.
        tile: how to cut the work.
        precision: of the products of fp32.

    Returns:
        [B, H, S, D] of q's dtype, laid out as [B, S, H, D]; rows past the length are zero.
    """
    B, H, S, D = q.shape
    strides = [x.stride(i) for x in (q, k, v) for i in (0, 2, 1)]
    assert k.shape == v.shape == q.shape
    assert scale > 0
    assert all(x.stride(3) == 1 for x in (q, k, v))
    assert not any(size % 16 for size in strides)
    out = q.new_empty(B, S, H, D)
    if out.numel():
        padded_kernel[(triton.cdiv(S, tile.block_m) * H * B,)](
            q, k, v, out, lengths, scale * LOG2_E, S, *strides,
            HEADS=H, HEAD_DIM=D, BLOCK_M=tile.block_m, BLOCK_N=tile.block_n, PRECISION=precision,
            DEPENDENT=dependent(out.device), num_warps=tile.warps, num_stages=tile.stages,
            enable_fp_fusion=True, **launch_options(out.device),
        )  # fmt: skip
    return out.transpose(1, 2)
