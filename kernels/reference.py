"""What each kernel computes, in plain PyTorch: its definition, its oracle, and its fallback.

The public functions of `kernels.ops` have a twin here, of the same signature and meaning:

    ops.varlen_attention      reference.cu_seqlens_attention
    ops.varlen_attention_qkv  reference.varlen_attention_qkv
    ops.padded_attention      reference.padded_attention
    ops.residual_layer_norm   reference.residual_layer_norm
    ops.embed_layer_norm      reference.embed_layer_norm
    ops.bias_gelu             reference.bias_gelu
    ops.linear                reference.linear
    ops.linear_gelu           reference.linear_gelu
    ops.linear_residual_norm  reference.linear_residual_norm

Unlike them, all of it can be differentiated. `varlen_attention` here is the form for training and the CPU: it
takes the lengths from the host, so that no tensor has to be read, and it can drop weights.

Shapes: T tokens, H heads, D head size, d = H * D, B sequences, S longest length.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from kernels.packing import BLOCK_M, padded_rows


def varlen_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    lengths: Sequence[int],
    *,
    scale: float | None = None,
    dropout: float = 0.0,
) -> Tensor:
    """Softmax attention within each packed sequence: scaled-dot-product attention on padded groups.

    Sequences are taken in runs of similar length as they lie: a batch sorted by length wastes next to none.

    Args:
        q: [T, H, D], as are k and v; any strides.
        k: keys.
        v: values.
        lengths: the B sequence lengths, on the host; they add up to T.
        scale: factor of the scores; D ** -0.5 unless told.
        dropout: probability of dropping a weight.

    Returns:
        [T, H, D] contiguous.
    """
    if scale is None:
        scale = 1.0 / math.sqrt(q.shape[-1])
    parts = []
    for start, stop, group in _runs(lengths):
        rows = slice(start, stop)
        parts.append(_grouped_attention(q[rows], k[rows], v[rows], group, scale, dropout))
    if not parts:
        return torch.empty_like(q, memory_format=torch.contiguous_format)
    return torch.cat(parts) if len(parts) > 1 else parts[0]


def _runs(lengths: Sequence[int]) -> list[tuple[int, int, list[int]]]:
    """Cuts the batch where the next length would waste more than a fifth of a group's rows."""
    runs: list[tuple[int, int, list[int]]] = []
    group: list[int] = []
    start = longest = total = 0
    for length in lengths:
        if not length:
            continue
        grown = max(longest, length)
        if group and grown * (len(group) + 1) > 1.25 * (total + length) + 16:
            runs.append((start, start + total, group))
            start, group, grown, total = start + total, [], length, 0
        group.append(length)
        longest, total = grown, total + length
    if total:
        runs.append((start, start + total, group))
    return runs


def _grouped_attention(
    q: Tensor, k: Tensor, v: Tensor, lengths: list[int], scale: float, dropout: float
) -> Tensor:
    B, S, (T, H, D) = len(lengths), max(lengths), q.shape
    if B * S == T:
        q_BHSD, k_BHSD, v_BHSD = (x.view(B, S, H, D).transpose(1, 2) for x in (q, k, v))
        out = _padded_attention(q_BHSD, k_BHSD, v_BHSD, None, scale, dropout)
        return out.transpose(1, 2).contiguous().view(T, H, D)
    rows = padded_rows(lengths).to(q.device)
    sizes = torch.as_tensor(lengths, device=q.device)
    mask = (torch.arange(S, device=q.device) < sizes[:, None])[:, None, None, :]

    def pad(x: Tensor) -> Tensor:
        return x.new_zeros(B * S, H, D).index_copy(0, rows, x).view(B, S, H, D).transpose(1, 2)

    out = _padded_attention(pad(q), pad(k), pad(v), mask, scale, dropout)
    return out.transpose(1, 2).reshape(B * S, H, D).index_select(0, rows)


def _padded_attention(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, scale: float, dropout: float
) -> Tensor:
    """[B, H, S, D] each; torch's own for a CPU is slow where weights are dropped."""
    if dropout == 0 or q.device.type != "cpu":
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout, scale=scale)
    scores = (q * scale) @ k.transpose(-2, -1)
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    return drop(scores.softmax(-1), dropout) @ v


def drop(x: Tensor, probability: float) -> Tensor:
    """Dropout. Without a GPU 16 random bits decide about a number, to 1/65536: torch draws 53 for each."""
    if probability == 0:
        return x
    if x.device.type != "cpu":
        return F.dropout(x, probability)
    level = round(probability * 2**16)
    drawn = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
    keep = drawn.view(torch.int16)[: x.numel()].view(x.shape) >= level - 2**15
    return torch.where(keep, x, 0.0) * (1 / (1 - level / 2**16))


def cu_seqlens_attention(
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
    """Softmax attention within each packed sequence, bounds in a tensor: twin of `ops.varlen_attention`.

    The bounds are read on the host, which makes a GPU wait; `varlen_attention` takes lengths instead.

    Args:
        q: [T, H, D], as are k and v; any strides.
        k: keys.
        v: values.
        cu_seqlens: [B + 1]: sequence b holds tokens cu_seqlens[b] .. cu_seqlens[b + 1] - 1.
        max_seqlen: not needed here.
        scale: factor of the scores; D ** -0.5 unless told.
        return_lse: also give the logarithm of each row's sum of exponentials.
        blocks: not needed here.
        block_m: not needed here.

    Returns:
        [T, H, D] contiguous, zeros for tokens of no sequence; with return_lse also [H, T], fp32 or finer.
    """
    del max_seqlen, blocks, block_m
    if scale is None:
        scale = 1.0 / math.sqrt(q.shape[-1])
    lengths = cu_seqlens.diff().tolist()
    T = sum(lengths)
    out = varlen_attention(q[:T], k[:T], v[:T], lengths, scale=scale)
    if q.shape[0] > T:
        out = torch.cat((out, out.new_zeros(q.shape[0] - T, *q.shape[1:])))
    return (out, _log_sum_exp(q, k, lengths, scale)) if return_lse else out


def _log_sum_exp(q: Tensor, k: Tensor, lengths: list[int], scale: float) -> Tensor:
    dtype = torch.promote_types(q.dtype, torch.float32)
    lse_HT = torch.zeros(q.shape[1], q.shape[0], dtype=dtype, device=q.device)
    start = 0
    for length in lengths:
        rows = slice(start, start + length)
        q_HSD, k_HSD = (x[rows].transpose(0, 1).to(dtype) for x in (q, k))
        if length:
            lse_HT[:, rows] = (q_HSD @ k_HSD.mT * scale).logsumexp(-1)
        start += length
    return lse_HT


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
    """`cu_seqlens_attention` of queries, keys and values that lie in one [T, 3, H, D]."""
    q, k, v = qkv.unbind(1)
    return cu_seqlens_attention(
        q, k, v, cu_seqlens, max_seqlen, scale=scale, return_lse=return_lse, blocks=blocks, block_m=block_m
    )


def padded_attention(
    q: Tensor, k: Tensor, v: Tensor, lengths: Tensor, *, scale: float | None = None
) -> Tensor:
    """Softmax attention within each right-padded sequence.

    Args:
        q: [B, H, S, D], as are k and v; any strides. What lies past the lengths is never used.
        k: keys.
        v: values.
        lengths: [B] on the device of q.
        scale: factor of the scores; D ** -0.5 unless told.

    Returns:
        [B, H, S, D], zeros past the lengths.
    """
    past = (torch.arange(q.shape[2], device=q.device) >= lengths[:, None])[:, None, :, None]
    out = F.scaled_dot_product_attention(
        q, k.masked_fill(past, 0.0), v.masked_fill(past, 0.0), attn_mask=~past.mT, scale=scale
    )
    return out.masked_fill(past, 0.0)


def residual_layer_norm(
    x: Tensor,
    residual: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    linear_bias: Tensor | None = None,
    eps: float,
) -> Tensor:
    """LayerNorm(x + linear_bias + residual) over the last dimension.

    Args:
        x: [..., d], what a linear layer gave.
        residual: [..., d].
        weight: [d], of the LayerNorm.
        bias: [d], of the LayerNorm.
        linear_bias: [d], of the linear layer, if that has not been added yet.
        eps: added to the variance.

    Returns:
        [..., d].
    """
    if linear_bias is not None:
        x = x + linear_bias
    return F.layer_norm(x + residual, weight.shape, weight, bias, eps)


def embed_layer_norm(
    ids: Tensor,
    positions: Tensor,
    word: Tensor,
    position: Tensor,
    type_row: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    eps: float,
) -> Tensor:
    """LayerNorm of word + position + type embeddings: ids, positions [T]; tables [V, d], [P, d]; row [d]."""
    x = F.embedding(ids, word) + F.embedding(positions, position) + type_row
    return F.layer_norm(x, weight.shape, weight, bias, eps)


def gelu(x: Tensor) -> Tensor:
    """GELU by the error function, exact."""
    return F.gelu(x)


def bias_gelu(x: Tensor, bias: Tensor) -> Tensor:
    """GELU by the error function of x + bias: x [..., d], bias [d]."""
    return F.gelu(x + bias)


def linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """x weight^T + bias: x [T, K], weight [N, K], bias [N] -> [T, N]."""
    return F.linear(x, weight, bias)


def linear_gelu(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """GELU of `linear`."""
    return F.gelu(F.linear(x, weight, bias))


def linear_residual_norm(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    residual: Tensor,
    norm_weight: Tensor,
    norm_bias: Tensor,
    *,
    eps: float,
) -> Tensor:
    """LayerNorm of `linear` + residual: residual [T, N], norm_weight and norm_bias [N]."""
    return F.layer_norm(F.linear(x, weight, bias) + residual, norm_weight.shape, norm_weight, norm_bias, eps)
