"""What each kernel computes, in plain PyTorch: its definition, its oracle, and its fallback.

Shapes: T tokens, H heads, D head size, d = H * D, B sequences.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from kernels.packing import padded_rows


def varlen_attention(
    q: Tensor, k: Tensor, v: Tensor, lengths: Sequence[int], *, dropout: float = 0.0
) -> Tensor:
    """Softmax attention within each packed sequence: scaled-dot-product attention on padded groups.

    Sequences are taken in runs of similar length as they lie: a batch sorted by length wastes next to none.

    Args:
        q: [T, H, D], as are k and v; any strides.
        k: keys.
        v: values.
        lengths: the B sequence lengths.
        dropout: probability of dropping a weight.

    Returns:
        [T, H, D] contiguous.
    """
    scale = 1.0 / math.sqrt(q.shape[-1])
    parts = []
    for start, stop, group in _runs(lengths):
        rows = slice(start, stop)
        parts.append(_padded_attention(q[rows], k[rows], v[rows], group, scale, dropout))
    if not parts:
        return torch.empty_like(q, memory_format=torch.contiguous_format)
    return torch.cat(parts) if len(parts) > 1 else parts[0]


def _runs(lengths: Sequence[int]) -> list[tuple[int, int, list[int]]]:
    """Cuts the batch where the next length would waste more than a fifth of a group's rows."""
    runs: list[tuple[int, int, list[int]]] = []
    group: list[int] = []
    start = longest = total = 0
    for length in lengths:
        grown = max(longest, length)
        if group and grown * (len(group) + 1) > 1.25 * (total + length) + 16:
            runs.append((start, start + total, group))
            start, group, grown, total = start + total, [], length, 0
        group.append(length)
        longest, total = grown, total + length
    if total:
        runs.append((start, start + total, group))
    return [run for run in runs if run[1] > run[0]]


def _padded_attention(
    q: Tensor, k: Tensor, v: Tensor, lengths: list[int], scale: float, dropout: float
) -> Tensor:
    B, S, (T, H, D) = len(lengths), max(lengths), q.shape
    if B * S == T:
        q_BHSD, k_BHSD, v_BHSD = (x.view(B, S, H, D).transpose(1, 2) for x in (q, k, v))
        out = F.scaled_dot_product_attention(q_BHSD, k_BHSD, v_BHSD, dropout_p=dropout, scale=scale)
        return out.transpose(1, 2).contiguous().view(T, H, D)
    rows = padded_rows(lengths).to(q.device)
    sizes = torch.as_tensor(lengths, device=q.device)
    mask = (torch.arange(S, device=q.device) < sizes[:, None])[:, None, None, :]

    def pad(x: Tensor) -> Tensor:
        return x.new_zeros(B * S, H, D).index_copy(0, rows, x).view(B, S, H, D).transpose(1, 2)

    out = F.scaled_dot_product_attention(
        pad(q), pad(k), pad(v), attn_mask=mask, dropout_p=dropout, scale=scale
    )
    return out.transpose(1, 2).reshape(B * S, H, D).index_select(0, rows)


def residual_layer_norm(x: Tensor, residual: Tensor, weight: Tensor, bias: Tensor, *, eps: float) -> Tensor:
    """LayerNorm(x + residual) over the last dimension; all [T, d]."""
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
