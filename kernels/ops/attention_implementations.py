"""The attention ops as PyTorch runs them: real tensors, checked already, to whoever computes them.

Shapes: T tokens, H heads, D head size, B sequences, S longest length, R rows of the block table.
"""

import functools
import math
from dataclasses import replace
from types import ModuleType
from typing import Literal

import torch
from torch import Tensor

from kernels import reference
from kernels.ops.dispatch import (
    DTYPES,
    INTERPRETED,
    AttentionRoute,
    architecture,
    attention_route,
    launching,
    say,
)
from kernels.ops.registration import register
from kernels.packing import BLOCK_M, block_table_on_device
from kernels.tiles import Layout, Tile, tile_for

ROLES: tuple[Literal["default", "large"], ...] = ("default", "large")
# On a GPU fp32 comes to Triton only where TF32 is allowed; the interpreter has none.
PRECISION: Literal["tf32", "ieee"] = "ieee" if INTERPRETED else "tf32"


def _aligned(x: Tensor) -> Tensor:
    """As the kernels were compiled for: from a 16-byte boundary, with strides divisible by 16.

    Triton would take other tensors too, but would compile a much slower kernel for them.
    """
    *strides, last = x.stride()
    if last == 1 and math.gcd(16, *strides) == 16 and x.data_ptr() % 16 == 0:
        return x
    say("attention copies a tensor: it is not aligned to 16 bytes with strides divisible by 16")
    return x.clone(memory_format=torch.contiguous_format)


@functools.cache
def _triton() -> ModuleType:
    """The kernels, loaded when first wanted: where none can run, nobody has to have Triton."""
    from kernels import attention

    return attention


def _route(q: Tensor, cu_seqlens: Tensor) -> AttentionRoute | None:
    """Who computes; None: there is nothing to compute.

    Raises:
        ValueError: on the CPU, the bounds are none.
    """
    if q.numel() == 0 or cu_seqlens.shape[0] < 2:
        return None
    if not q.is_cuda:
        first, *_, last = bounds = cu_seqlens.tolist()
        if first != 0 or bounds != sorted(bounds) or last > q.shape[0]:
            raise ValueError(f"cu_seqlens {bounds} do not rise from 0 to at most {q.shape[0]} tokens")
    return attention_route(q)


def _tile(x: Tensor, layout: Layout, block_m: int, longest: int) -> Tile:
    """The pinned configuration that cuts queries into such blocks.

    Raises:
        ValueError: there is none.
    """
    tile = _pinned(x.device, x.dtype, layout, x.shape[-1], block_m)
    # A loop of one trip has nothing to prefetch. Stages change no bits.
    return replace(tile, stages=1) if longest <= 2 * tile.block_n else tile


@functools.cache
def _pinned(device: torch.device, dtype: torch.dtype, layout: Layout, head_dim: int, block_m: int) -> Tile:
    tiles = [
        tile_for(architecture(device), layout, role, head_dim=head_dim, dtype=DTYPES[dtype]) for role in ROLES
    ]
    for tile in tiles:
        if tile.block_m == block_m:
            return tile
    known = ", ".join(str(tile) for tile in tiles)
    raise ValueError(f"no tile of {block_m} queries for {layout} and {dtype}, only {known}")


def _strided(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    cu_seqlens: Tensor,
    max_seqlen: int,
    scale: float,
    with_lse: bool,
    blocks: Tensor | None,
    block_m: int,
) -> tuple[Tensor, Tensor]:
    route = _route(q, cu_seqlens)
    if route != "triton":
        return _fall_back(route, (q, k, v), cu_seqlens, max_seqlen, scale, with_lse)
    q, k, v = _aligned(q), _aligned(k), _aligned(v)
    tile = _tile(q, "strided", block_m, max_seqlen)
    with launching(q):
        if blocks is None:
            blocks = block_table_on_device(cu_seqlens, q.shape[0], block_m)
        return _triton().run_strided(
            q, k, v, cu_seqlens, blocks, scale=scale, tile=tile, with_lse=with_lse, precision=PRECISION
        )


def _packed_qkv(
    qkv: Tensor,
    cu_seqlens: Tensor,
    max_seqlen: int,
    scale: float,
    with_lse: bool,
    blocks: Tensor | None,
    block_m: int,
) -> tuple[Tensor, Tensor]:
    route = _route(qkv, cu_seqlens)
    if route != "triton":
        q, k, v = qkv.unbind(1)
        return _fall_back(route, (q, k, v), cu_seqlens, max_seqlen, scale, with_lse)
    qkv = _aligned(qkv.contiguous())
    tile = _tile(qkv, "packed_qkv", block_m, max_seqlen)
    with launching(qkv):
        if blocks is None:
            blocks = block_table_on_device(cu_seqlens, qkv.shape[0], block_m)
        return _triton().run_packed_qkv(
            qkv, cu_seqlens, blocks, scale=scale, tile=tile, with_lse=with_lse, precision=PRECISION
        )


def _fall_back(
    route: Literal["varlen", "sdpa"] | None,
    qkv: tuple[Tensor, Tensor, Tensor],
    cu_seqlens: Tensor,
    max_seqlen: int,
    scale: float,
    with_lse: bool,
) -> tuple[Tensor, Tensor]:
    T, H, D = qkv[0].shape
    lse = torch.zeros((H, T) if with_lse else (0,), dtype=torch.float32, device=qkv[0].device)
    if route is None:
        return qkv[0].new_zeros(T, H, D), lse
    if route == "varlen":
        from torch.nn.attention.varlen import AuxRequest, varlen_attn

        q, k, v = (x if x.stride(-1) == 1 else x.contiguous() for x in qkv)
        bounds = (cu_seqlens, cu_seqlens, max_seqlen, max_seqlen)
        out = varlen_attn(q, k, v, *bounds, scale=scale, return_aux=AuxRequest(lse=with_lse))
    else:
        out = reference.cu_seqlens_attention(*qkv, cu_seqlens, max_seqlen, scale=scale, return_lse=with_lse)
    if isinstance(out, tuple):
        return out[0], out[1].to(torch.float32)
    return out, lse


def _padded(q: Tensor, k: Tensor, v: Tensor, lengths: Tensor, scale: float) -> Tensor:
    if q.numel() and not q.is_cuda and not 0 <= int(lengths.min()) <= int(lengths.max()) <= q.shape[2]:
        raise ValueError(f"lengths {lengths.tolist()} do not lie in 0 .. {q.shape[2]}")
    if q.numel() == 0 or attention_route(q, "padded") != "triton":
        out = reference.padded_attention(q, k, v, lengths, scale=scale)
        return out.transpose(1, 2).contiguous().transpose(1, 2)
    tile = _tile(q, "strided", BLOCK_M, q.shape[2])
    with launching(q):
        return _triton().run_padded(
            _aligned(q), _aligned(k), _aligned(v), lengths, scale=scale, tile=tile, precision=PRECISION
        )


def _results(x: Tensor, T: int, H: int, D: int, with_lse: bool) -> tuple[Tensor, Tensor]:
    return x.new_empty(T, H, D), x.new_empty((H, T) if with_lse else (0,), dtype=torch.float32)


def _fake_strided(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    cu_seqlens: Tensor,
    longest: int,
    scale: float,
    with_lse: bool,
    *_: object,
) -> tuple[Tensor, Tensor]:
    del k, v, cu_seqlens, longest, scale
    T, H, D = q.shape
    return _results(q, T, H, D, with_lse)


def _fake_packed_qkv(
    qkv: Tensor, cu_seqlens: Tensor, longest: int, scale: float, with_lse: bool, *_: object
) -> tuple[Tensor, Tensor]:
    del cu_seqlens, longest, scale
    T, _three, H, D = qkv.shape
    return _results(qkv, T, H, D, with_lse)


def _fake_padded(q: Tensor, *_: object) -> Tensor:
    B, H, S, D = q.shape
    return q.new_empty(B, S, H, D).transpose(1, 2)


_REST = "Tensor cu_seqlens, SymInt max_seqlen, float scale, bool with_lse, Tensor? blocks, SymInt block_m"
VARLEN_ATTENTION = register(
    "varlen_attention",
    f"(Tensor q, Tensor k, Tensor v, {_REST}) -> (Tensor, Tensor)",
    implementation=_strided,
    fake=_fake_strided,
)
VARLEN_ATTENTION_QKV = register(
    "varlen_attention_qkv",
    f"(Tensor qkv, {_REST}) -> (Tensor, Tensor)",
    implementation=_packed_qkv,
    fake=_fake_packed_qkv,
)
PADDED_ATTENTION = register(
    "padded_attention",
    "(Tensor q, Tensor k, Tensor v, Tensor lengths, float scale) -> Tensor",
    implementation=_padded,
    fake=_fake_padded,
)
