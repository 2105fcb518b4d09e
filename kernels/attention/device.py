"""The kernels: what one program does.

Names carry their shapes: M queries of a block, N keys of a block, D head size; B sequences, S longest length,
T tokens, H heads, R rows of the block table.
"""

import math

import triton
import triton.language as tl

from kernels.dependent import start, wait

LN_2 = tl.constexpr(math.log(2.0))


@triton.jit
def _attend(q, k, v, rows_M, n, q_row, k_row, v_row, qk_scale,
            HEAD_DIM: tl.constexpr, BLOCK_N: tl.constexpr, PRECISION: tl.constexpr):  # fmt: skip
    """Rows of the output and their log-sum-exp, in base 2; q, k and v point at the sequence's first token."""
    columns_N = tl.arange(0, BLOCK_N)
    dims_D = tl.arange(0, HEAD_DIM)
    # Indices are clamped instead of masked: no load leaves the sequence, and all are full vectors.
    q_MD = tl.load(q + tl.minimum(rows_M, n - 1)[:, None] * q_row + dims_D[None, :])

    full = (n - 1) // BLOCK_N * BLOCK_N
    keys_N = tl.minimum(full + columns_N, n - 1)
    k_DN = tl.load(k + keys_N[None, :] * k_row + dims_D[:, None])
    v_ND = tl.load(v + keys_N[:, None] * v_row + dims_D[None, :])
    s_MN = tl.dot(q_MD, k_DN, input_precision=PRECISION)
    s_MN = tl.where((full + columns_N < n)[None, :], s_MN, float("-inf"))
    top_M = tl.max(s_MN, 1) * qk_scale
    p_MN = tl.math.exp2(s_MN * qk_scale - top_M[:, None])
    sum_M = tl.sum(p_MN, 1)
    acc_MD = tl.dot(p_MN.to(v_ND.dtype), v_ND, input_precision=PRECISION)

    k_DN_ptr = k + columns_N[None, :] * k_row + dims_D[:, None]
    v_ND_ptr = v + columns_N[:, None] * v_row + dims_D[None, :]
    for _ in range(0, full, BLOCK_N):
        k_DN = tl.load(k_DN_ptr)
        v_ND = tl.load(v_ND_ptr)
        s_MN = tl.dot(q_MD, k_DN, input_precision=PRECISION)
        new_top_M = tl.maximum(top_M, tl.max(s_MN, 1) * qk_scale)
        p_MN = tl.math.exp2(s_MN * qk_scale - new_top_M[:, None])
        decay_M = tl.math.exp2(top_M - new_top_M)
        sum_M = sum_M * decay_M + tl.sum(p_MN, 1)
        acc_MD = acc_MD * decay_M[:, None]
        acc_MD = tl.dot(p_MN.to(v_ND.dtype), v_ND, acc_MD, input_precision=PRECISION)
        top_M = new_top_M
        k_DN_ptr += BLOCK_N * k_row
        v_ND_ptr += BLOCK_N * v_row
    return acc_MD / sum_M[:, None], top_M + tl.math.log2(sum_M)


@triton.jit
def _store(out_MD, lse_M, out, lse, rows_M, n, begin, head, tokens,
           HEADS: tl.constexpr, HEAD_DIM: tl.constexpr, WITH_LSE: tl.constexpr):  # fmt: skip
    """Writes the rows that exist to out [T, H, D] and lse [H, T]."""
    inside_M = rows_M < n
    offsets_MD = rows_M[:, None] * (HEADS * HEAD_DIM) + tl.arange(0, HEAD_DIM)[None, :]
    out += begin * (HEADS * HEAD_DIM) + head * HEAD_DIM
    tl.store(out + offsets_MD, out_MD.to(out.dtype.element_ty), mask=inside_M[:, None])
    if WITH_LSE:
        tl.store(lse + head * tokens + begin + rows_M, lse_M * LN_2, mask=inside_M)


@triton.jit
def _place(cu_seqlens, blocks, HEADS: tl.constexpr, BLOCK_M: tl.constexpr):
    """Head, first row, first token and length; the heads of one block, neighbours in memory, go together."""
    row = tl.program_id(0) // HEADS
    head = (tl.program_id(0) % HEADS).to(tl.int64)
    sequence = tl.load(blocks + row * 2)
    first = tl.load(blocks + row * 2 + 1) * BLOCK_M
    begin = tl.load(cu_seqlens + sequence)
    return head, first, begin, tl.load(cu_seqlens + sequence + 1) - begin


@triton.jit(do_not_specialize=["tokens"])
def packed_qkv_kernel(qkv, out, lse, cu_seqlens, blocks, qk_scale, tokens,
                      HEADS: tl.constexpr, HEAD_DIM: tl.constexpr, BLOCK_M: tl.constexpr,
                      BLOCK_N: tl.constexpr, WITH_LSE: tl.constexpr, PRECISION: tl.constexpr,
                      DEPENDENT: tl.constexpr):  # fmt: skip
    """One contiguous [T, 3, H, D]: every stride is known when this is compiled."""
    start(DEPENDENT)
    head, first, begin, n = _place(cu_seqlens, blocks, HEADS, BLOCK_M)
    wait(DEPENDENT)
    if first >= n:
        return
    begin = begin.to(tl.int64)
    rows_M = first + tl.arange(0, BLOCK_M)
    ROW: tl.constexpr = 3 * HEADS * HEAD_DIM
    q = qkv + begin * ROW + head * HEAD_DIM
    k = q + HEADS * HEAD_DIM
    v = k + HEADS * HEAD_DIM
    out_MD, lse_M = _attend(q, k, v, rows_M, n, ROW, ROW, ROW, qk_scale, HEAD_DIM, BLOCK_N, PRECISION)
    _store(out_MD, lse_M, out, lse, rows_M, n, begin, head, tokens, HEADS, HEAD_DIM, WITH_LSE)


@triton.jit(do_not_specialize=["tokens"])
def strided_kernel(q, k, v, out, lse, cu_seqlens, blocks, qk_scale, tokens,
                   q_row, q_head, k_row, k_head, v_row, v_head,
                   HEADS: tl.constexpr, HEAD_DIM: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr,
                   WITH_LSE: tl.constexpr, PRECISION: tl.constexpr,
                   DEPENDENT: tl.constexpr):  # fmt: skip
    """Three [T, H, D], each with strides of its own."""
    start(DEPENDENT)
    head, first, begin, n = _place(cu_seqlens, blocks, HEADS, BLOCK_M)
    wait(DEPENDENT)
    if first >= n:
        return
    begin = begin.to(tl.int64)
    rows_M = first + tl.arange(0, BLOCK_M)
    q += begin * q_row + head * q_head
    k += begin * k_row + head * k_head
    v += begin * v_row + head * v_head
    out_MD, lse_M = _attend(q, k, v, rows_M, n, q_row, k_row, v_row, qk_scale, HEAD_DIM, BLOCK_N, PRECISION)
    _store(out_MD, lse_M, out, lse, rows_M, n, begin, head, tokens, HEADS, HEAD_DIM, WITH_LSE)


@triton.jit(do_not_specialize=["longest"])
def padded_kernel(q, k, v, out, lengths, qk_scale, longest,
                  q_batch, q_row, q_head, k_batch, k_row, k_head, v_batch, v_row, v_head,
                  HEADS: tl.constexpr, HEAD_DIM: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr,
                  PRECISION: tl.constexpr, DEPENDENT: tl.constexpr):  # fmt: skip
    """Three [B, H, S, D] with strides of their own into [B, S, H, D]; rows past a length become zero.

    The blocks of one sequence and head follow one another, so that its keys are still in the cache.
    """
    start(DEPENDENT)
    wait(DEPENDENT)
    BLOCKS = tl.cdiv(longest, BLOCK_M)
    block = tl.program_id(0) % BLOCKS
    head = (tl.program_id(0) // BLOCKS % HEADS).to(tl.int64)
    sequence = (tl.program_id(0) // BLOCKS // HEADS).to(tl.int64)
    rows_M = block * BLOCK_M + tl.arange(0, BLOCK_M)
    n = tl.minimum(tl.load(lengths + sequence), longest)
    out += (sequence * longest * HEADS + head) * HEAD_DIM
    out_MD_ptr = out + rows_M[:, None] * (HEADS * HEAD_DIM) + tl.arange(0, HEAD_DIM)[None, :]
    inside_M1 = (rows_M < longest)[:, None]
    if block * BLOCK_M >= n:
        tl.store(out_MD_ptr, tl.zeros([BLOCK_M, HEAD_DIM], out.dtype.element_ty), mask=inside_M1)
        return
    q += sequence * q_batch + head * q_head
    k += sequence * k_batch + head * k_head
    v += sequence * v_batch + head * v_head
    out_MD, _ = _attend(q, k, v, rows_M, n, q_row, k_row, v_row, qk_scale, HEAD_DIM, BLOCK_N, PRECISION)
    out_MD = tl.where((rows_M < n)[:, None], out_MD, 0.0)
    tl.store(out_MD_ptr, out_MD.to(out.dtype.element_ty), mask=inside_M1)
