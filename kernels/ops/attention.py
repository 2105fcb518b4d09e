"""Softmax attention over sequences of different lengths: packed end to end, or right-padded.

Shapes: T tokens, H heads, D head size, B sequences, S longest length, R rows of the block table.
"""

import torch
from torch import Tensor

from kernels.ops.attention_implementations import PADDED_ATTENTION, VARLEN_ATTENTION, VARLEN_ATTENTION_QKV
from kernels.ops.checks import (
    check_attention,
    check_bounds,
    check_integers,
    check_scale,
    check_shape,
    refuse_gradients,
)
from kernels.packing import BLOCK_M


def varlen_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    cu_seqlens: Tensor,
    max_seqlen: int,
    *,
    scale: float | None = None,
    return_lse: bool = False,
    blocks: Tensor | None = None,
    block_m: int = BLOCK_M,
) -> Tensor | tuple[Tensor, Tensor]:
    """Softmax attention within each packed sequence.

    Args:
        q: [T, H, D], as are k and v. Copied unless the last dimension is contiguous, the other strides are
            divisible by 16 and the first value lies on a 16-byte boundary.
        k: keys.
        v: values.
        cu_seqlens: [B + 1] int32 beside q: sequence b holds tokens cu_seqlens[b] .. cu_seqlens[b + 1] - 1.
        max_seqlen: no less than the longest length, and no tensor: the fall-backs want it.
        scale: factor of the scores, positive; D ** -0.5 unless told.
        return_lse: also give the logarithm of each row's sum of exponentials.
        blocks: [R, 2] int32 beside q, `Packed.blocks`; made on the device, without waiting, if missing.
        block_m: queries a block of that table.

    Returns:
        [T, H, D] contiguous; with return_lse also [H, T] fp32, natural logarithm. What tokens of no sequence
        get is undefined.

    Raises:
        ValueError: shapes, dtypes or devices do not fit together, or scale is not positive.
        RuntimeError: a gradient is wanted.
    """
    refuse_gradients(q, k, v)
    check_attention("[T, H, D]", q, k, v)
    scale = check_scale(scale, q.shape[2])
    check_bounds(q, cu_seqlens, blocks, block_m)
    out, lse = VARLEN_ATTENTION(q, k, v, cu_seqlens, max_seqlen, scale, return_lse, blocks, block_m)
    return (out, lse) if return_lse else out


def varlen_attention_qkv(
    qkv: Tensor,
    cu_seqlens: Tensor,
    max_seqlen: int,
    *,
    scale: float | None = None,
    return_lse: bool = False,
    blocks: Tensor | None = None,
    block_m: int = BLOCK_M,
) -> Tensor | tuple[Tensor, Tensor]:
    """`varlen_attention` of queries, keys and values as one linear layer leaves them: the fastest form.

    Args:
        qkv: [T, 3, H, D]; copied unless contiguous from a 16-byte boundary.
        cu_seqlens: see `varlen_attention`, as for all that follows.
        max_seqlen: the longest length.
        scale: factor of the scores.
        return_lse: also give the logarithms of the sums.
        blocks: the block table.
        block_m: queries a block.

    Returns:
        [T, H, D] contiguous; with return_lse also [H, T] fp32.

    Raises:
        ValueError: shapes, dtypes or devices do not fit together, or scale is not positive.
        RuntimeError: a gradient is wanted.
    """
    refuse_gradients(qkv)
    if qkv.dim() != 4 or qkv.shape[1] != 3:
        raise ValueError(f"qkv is {list(qkv.shape)}; [T, 3, H, D] is needed")
    scale = check_scale(scale, qkv.shape[3])
    check_bounds(qkv, cu_seqlens, blocks, block_m)
    out, lse = VARLEN_ATTENTION_QKV(qkv, cu_seqlens, max_seqlen, scale, return_lse, blocks, block_m)
    return (out, lse) if return_lse else out


def padded_attention(
    q: Tensor, k: Tensor, v: Tensor, lengths: Tensor, *, scale: float | None = None
) -> Tensor:
    """Softmax attention within each right-padded sequence.

    Args:
        q: [B, H, S, D], as are k and v; copied as for `varlen_attention`. What lies past the lengths is
            not read.
        k: keys.
        v: values.
        lengths: [B] int32 beside q, none above S; on a GPU nobody checks that.
        scale: factor of the scores, positive; D ** -0.5 unless told.

    Returns:
        [B, H, S, D], zeros past the lengths, laid out as a contiguous [B, S, H, D].

    Raises:
        ValueError: shapes, dtypes or devices do not fit together, or scale is not positive.
        RuntimeError: a gradient is wanted.
    """
    refuse_gradients(q, k, v)
    check_attention("[B, H, S, D]", q, k, v)
    check_shape("lengths", lengths, q.shape[:1])
    check_integers("lengths", lengths, q, torch.int32)
    return PADDED_ATTENTION(q, k, v, lengths, check_scale(scale, q.shape[3]))
