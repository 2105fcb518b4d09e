"""Kernels that the bars must reject: each does one thing that ours must never do."""

import triton
import triton.language as tl


@triton.jit
def masked_in_loop_kernel(
    qkv,  # [T, 3, HEADS, HEAD_DIM]
    out,  # [T, HEADS, HEAD_DIM]
    cu_seqlens,  # [B + 1]
    blocks,  # [R, 2]
    qk_scale,
    HEADS: tl.constexpr,
    HEAD_DIM: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
):
    """Attention that masks every block of keys, the ragged one and the full ones alike."""
    row: tl.constexpr = 3 * HEADS * HEAD_DIM
    sequence = tl.load(blocks + 2 * tl.program_id(0))
    block = tl.load(blocks + 2 * tl.program_id(0) + 1)
    begin = tl.load(cu_seqlens + sequence)
    length = tl.load(cu_seqlens + sequence + 1) - begin
    if length <= block * BLOCK_M:
        return
    head = tl.program_id(1)
    base = qkv + begin.to(tl.int64) * row + head * HEAD_DIM
    rows = block * BLOCK_M + tl.arange(0, BLOCK_M)
    columns = tl.arange(0, BLOCK_N)
    dims = tl.arange(0, HEAD_DIM)
    q = tl.load(base + tl.minimum(rows, length - 1)[:, None] * row + dims[None, :])
    peak = tl.full([BLOCK_M], float("-inf"), tl.float32)
    total = tl.zeros([BLOCK_M], tl.float32)
    acc = tl.zeros([BLOCK_M, HEAD_DIM], tl.float32)
    for start in tl.range(0, length, BLOCK_N):
        keys = tl.minimum(start + columns, length - 1)[:, None] * row + dims[None, :]
        k = tl.load(base + HEADS * HEAD_DIM + keys)
        v = tl.load(base + 2 * HEADS * HEAD_DIM + keys)
        scores = tl.where(start + columns[None, :] < length, tl.dot(q, k.T), float("-inf"))
        higher = tl.maximum(peak, tl.max(scores, 1) * qk_scale)
        p = tl.exp2(scores * qk_scale - higher[:, None])
        correction = tl.exp2(peak - higher)
        total = total * correction + tl.sum(p, 1)
        acc = tl.dot(p.to(v.dtype), v, acc * correction[:, None])
        peak = higher
    target = out + begin.to(tl.int64) * HEADS * HEAD_DIM + head * HEAD_DIM
    offsets = rows[:, None] * HEADS * HEAD_DIM + dims[None, :]
    tl.store(target + offsets, (acc / total[:, None]).to(out.dtype.element_ty), mask=rows[:, None] < length)


@triton.jit
def bounded_gelu_kernel(x, bias, out, total, COLUMNS: tl.constexpr, BLOCK: tl.constexpr):
    """Bias and GELU up to a bound known only at run time, of which the compiler knows no divisor."""
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < total
    value = tl.load(x + offsets, mask=inside).to(tl.float32)
    value += tl.load(bias + offsets % COLUMNS, mask=inside).to(tl.float32)
    value = 0.5 * value * (1.0 + tl.erf(value * 0.7071067811865476))
    tl.store(out + offsets, value.to(out.dtype.element_ty), mask=inside)
