"""Attention: the three fused operations against torch's variable-length, SDPA, Flex and unfused attention.

The packed ones see [T, 3, H, D] as a QKV product leaves it; the padded ones the same numbers with padding,
[B, H, S, D] with the strides a model gives them, and a mask where there is padding.
Shapes: B sequences, S longest length, T tokens, H heads, D head size.
"""

import functools
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from kernels import ops
from kernels.bench.case import Call, Case
from kernels.bench.roofline import attention as operation
from kernels.bench.workloads import Workload
from kernels.packing import Packed, from_lengths, padded_rows, unpack

LARGE_BLOCK_M = 128


def by_sequence(qkv: Tensor, lengths: Sequence[int], dtype: torch.dtype) -> Tensor:
    """Unfused attention of each sequence alone, in this dtype: [T, 3, H, D] -> [T, H, D]."""
    parts = []
    for rows in qkv.split(list(lengths)):
        q_HSD, k_HSD, v_HSD = rows.to(dtype).permute(1, 2, 0, 3)
        weights = torch.softmax(q_HSD @ k_HSD.mT * q_HSD.shape[-1] ** -0.5, -1)
        parts.append((weights @ v_HSD).transpose(0, 1))
    return torch.cat(parts)


def case(
    workload: Workload, *, heads: int, head_dim: int, dtype: torch.dtype, device: torch.device | str
) -> Case:
    """The comparison on one batch."""
    generator = torch.Generator(device).manual_seed(workload.tokens)
    size = (workload.tokens, 3, heads, head_dim)
    qkv = torch.randn(size, generator=generator, device=device).to(dtype)
    ids = torch.full((workload.tokens,), 5)
    packed, large = (
        from_lengths(ids, workload.lengths, block_m=rows).to(device) for rows in (64, LARGE_BLOCK_M)
    )
    variants: dict[str, Callable[[], Call]] = {
        "varlen_attention_qkv": functools.partial(_packed_qkv, qkv, packed),
        f"varlen_attention_qkv, {LARGE_BLOCK_M} rows": functools.partial(_packed_qkv, qkv, large),
        "varlen_attention": functools.partial(_packed, qkv, packed),
        "torch varlen": functools.partial(_torch_varlen, qkv, packed),
    }
    padded: dict[str, Callable[[Tensor, Workload], Callable[[], Tensor]]] = {
        "padded_attention": _fused_padded,
        "torch sdpa": _sdpa,
        "torch flex": _flex,
        "torch eager": _eager,
    }
    for name, make in padded.items():
        variants[name] = functools.partial(_padded, make, qkv, packed, workload)
    return Case(
        family="attention",
        kernel="attention",
        workload=workload,
        dtype=str(dtype).removeprefix("torch."),
        work=operation(workload.lengths, heads=heads, head_dim=head_dim),
        reference=lambda: by_sequence(qkv, workload.lengths, torch.float32),
        baseline=lambda: by_sequence(qkv, workload.lengths, dtype),
        variants=variants,
    )


def _packed_qkv(qkv: Tensor, packed: Packed) -> Call:
    return Call(run=lambda: fused(qkv, packed), refused=_refused(qkv))


def fused(qkv: Tensor, packed: Packed) -> Tensor:
    """This package's attention on the packed stream: [T, 3, H, D] -> [T, H, D]."""
    out = ops.varlen_attention_qkv(
        qkv, packed.cu_seqlens, packed.max_seqlen, blocks=packed.blocks, block_m=packed.block_m
    )
    assert isinstance(out, Tensor)
    return out


def _packed(qkv: Tensor, packed: Packed) -> Call:
    q, k, v = qkv.unbind(1)

    def run() -> Tensor:
        out = ops.varlen_attention(
            q, k, v, packed.cu_seqlens, packed.max_seqlen, blocks=packed.blocks, block_m=packed.block_m
        )
        assert isinstance(out, Tensor)
        return out

    return Call(run=run, refused=_refused(qkv))


def _refused(x: Tensor) -> tuple[str, ...]:
    return ops.why_not(x, head_dim=x.shape[-1])


def torch_varlen(qkv: Tensor, packed: Packed) -> Tensor:
    """torch's own attention on the packed stream: [T, 3, H, D] -> [T, H, D]."""
    from torch.nn.attention.varlen import varlen_attn

    q, k, v = qkv.unbind(1)
    bounds, longest = packed.cu_seqlens, packed.max_seqlen
    out = varlen_attn(q, k, v, bounds, bounds, longest, longest)
    assert isinstance(out, Tensor)
    return out


def _torch_varlen(qkv: Tensor, packed: Packed) -> Call:
    return Call(run=lambda: torch_varlen(qkv, packed))


def _padded(
    make: Callable[[Tensor, Workload], Callable[[], Tensor]],
    qkv: Tensor,
    packed: Packed,
    workload: Workload,
) -> Call:
    """[3, B, H, S, D] for an implementation that wants padding; its output without the padding again."""
    qkv_3BHSD = unpack(qkv, packed).permute(2, 0, 3, 1, 4)
    rows = padded_rows(workload.lengths).to(qkv.device)
    return Call(
        refused=_refused(qkv) if make is _fused_padded else (),
        run=make(qkv_3BHSD, workload),
        pick=lambda out_BHSD: out_BHSD.transpose(1, 2).flatten(0, 1).index_select(0, rows),
    )


def _lengths(workload: Workload, like: Tensor) -> Tensor:
    return torch.tensor(workload.lengths, dtype=torch.int32, device=like.device)


def _mask(workload: Workload, like: Tensor) -> Tensor | None:
    """[B, 1, 1, S], true where there is a token; None where nothing is padded."""
    if workload.kind == "dense":
        return None
    columns = torch.arange(workload.longest, device=like.device)
    return (columns < _lengths(workload, like)[:, None])[:, None, None, :]


def _fused_padded(qkv_3BHSD: Tensor, workload: Workload) -> Callable[[], Tensor]:
    q, k, v = qkv_3BHSD
    lengths = _lengths(workload, q)
    return lambda: ops.padded_attention(q, k, v, lengths)


def _sdpa(qkv_3BHSD: Tensor, workload: Workload) -> Callable[[], Tensor]:
    q, k, v = qkv_3BHSD
    mask = _mask(workload, q)
    return lambda: F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def _eager(qkv_3BHSD: Tensor, workload: Workload) -> Callable[[], Tensor]:
    """As Hugging Face's eager attention: scores, an added mask, softmax in fp32, weights."""
    q, k, v = qkv_3BHSD
    mask = _mask(workload, q)
    added = None if mask is None else torch.where(mask, 0.0, torch.finfo(q.dtype).min).to(q.dtype)

    def attend() -> Tensor:
        scores = q @ k.mT * q.shape[-1] ** -0.5
        if added is not None:
            scores = scores + added
        return torch.softmax(scores, -1, dtype=torch.float32).to(q.dtype) @ v

    return attend


def _flex(qkv_3BHSD: Tensor, workload: Workload) -> Callable[[], Tensor]:
    """Compiled for this very shape; the block mask is made beforehand and costs nothing here."""
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    q, k, v = qkv_3BHSD
    torch._dynamo.reset()
    compiled = torch.compile(flex_attention, dynamic=False)
    mask = None
    if workload.kind == "ragged":
        lengths = _lengths(workload, q)

        def inside(b: Tensor, _head: Tensor, _row: Tensor, column: Tensor) -> Tensor:
            return column < lengths[b]

        S = workload.longest
        mask = create_block_mask(inside, workload.batch, None, S, S, device=q.device)
    return lambda: compiled(q, k, v, block_mask=mask)
