"""The kernels: what one program does.

Names carry their shapes: M rows (tokens) of a tile, N columns of the output, K values of the input.
"""

import triton
import triton.language as tl

from kernels.activation import gelu
from kernels.dependent import start, wait


@triton.jit
def _prefetch(weight, first, begin, K: tl.constexpr, ROWS: tl.constexpr, LENGTH: tl.constexpr,
              STEP: tl.constexpr):  # fmt: skip
    """Asks L2 for a rectangle of the weights, in lines of 128 bytes."""
    rows = first + tl.arange(0, ROWS)
    lines = begin + tl.arange(0, STEP // 64) * 64
    for step in range(0, LENGTH, STEP):
        places = (weight + rows[:, None] * K + (lines + step)[None, :]).to(tl.int64)
        tl.inline_asm_elementwise(
            "prefetch.global.L2 [$1]; mov.u32 $0, 0;", "=r,l", [places], dtype=tl.int32, is_pure=False, pack=1
        )


@triton.jit
def _finish(acc_MN, bias, first, BLOCK_N: tl.constexpr, BIAS: tl.constexpr, GELU: tl.constexpr):
    if BIAS:
        acc_MN += tl.load(bias + first + tl.arange(0, BLOCK_N)).to(tl.float32)[None, :]
    if GELU:
        acc_MN = gelu(acc_MN, False)
    return acc_MN


@triton.jit(do_not_specialize=["rows"])
def few_rows_kernel(x, weight, bias, out, rows, N: tl.constexpr, K: tl.constexpr,
                    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, SPLIT: tl.constexpr,
                    BIAS: tl.constexpr, GELU: tl.constexpr, PREFETCH: tl.constexpr,
                    DEPENDENT: tl.constexpr):  # fmt: skip
    """out [SPLIT, rows, N] = x [rows, K] weight [N, K]^T, each part over a share of K; for few rows.

    There the time goes into reading weights: they are asked for before the kernel that makes x is complete.
    Bias and GELU are for one part alone.
    """
    SHARE: tl.constexpr = K // SPLIT
    start(DEPENDENT)
    first = tl.program_id(0) * BLOCK_N
    part = tl.program_id(2)
    if DEPENDENT and tl.program_id(1) == 0:
        _prefetch(weight, first, part * SHARE, K, BLOCK_N, SHARE, PREFETCH)
    wait(DEPENDENT)
    n = first + tl.arange(0, BLOCK_N)
    m = tl.program_id(1) * BLOCK_M + tl.arange(0, BLOCK_M)
    k = part * SHARE + tl.arange(0, BLOCK_K)
    # Rows past the last wrap around: were all of them the last, every program would queue for its line.
    x_MK = x + (m % rows)[:, None] * K + k[None, :]
    w_KN = weight + n[None, :] * K + k[:, None]
    acc_MN = tl.zeros([BLOCK_M, BLOCK_N], tl.float32)
    for _ in range(0, SHARE, BLOCK_K):
        acc_MN = tl.dot(tl.load(x_MK), tl.load(w_KN), acc_MN)
        x_MK += BLOCK_K
        w_KN += BLOCK_K
    acc_MN = _finish(acc_MN, bias, first, BLOCK_N, BIAS, GELU)
    places_MN = part * rows * N + m[:, None] * N + n[None, :]
    tl.store(out + places_MN, acc_MN.to(out.dtype.element_ty), mask=(m < rows)[:, None])


@triton.jit(do_not_specialize=["rows"])
def many_rows_kernel(x, weight, bias, out, rows, N: tl.constexpr, K: tl.constexpr,
                     BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr,
                     PROGRAMS: tl.constexpr, GROUP: tl.constexpr, HALVES: tl.constexpr, BIAS: tl.constexpr,
                     GELU: tl.constexpr, DEPENDENT: tl.constexpr):  # fmt: skip
    """out [rows, N] = x [rows, K] weight [N, K]^T, with bias and GELU; x, weight and out are descriptors.

    Each program walks over tiles, GROUP rows of them side by side, so that both inputs stay in L2; a wide
    tile is finished in halves, which need half the shared memory.
    """
    start(DEPENDENT)
    wait(DEPENDENT)
    rows_of_tiles = tl.cdiv(rows, BLOCK_M)
    COLUMNS_OF_TILES: tl.constexpr = N // BLOCK_N
    for tile in tl.range(tl.program_id(0), rows_of_tiles * COLUMNS_OF_TILES, PROGRAMS, flatten=True):
        above = tile // (GROUP * COLUMNS_OF_TILES) * GROUP
        height = tl.minimum(rows_of_tiles - above, GROUP)
        within = tile % (GROUP * COLUMNS_OF_TILES)
        m = (above + within % height) * BLOCK_M
        n = within // height * BLOCK_N
        acc_MN = tl.zeros([BLOCK_M, BLOCK_N], tl.float32)
        for k in range(0, K, BLOCK_K):
            acc_MN = tl.dot(x.load([m, k]), weight.load([n, k]).T, acc_MN)
        if HALVES:
            HALF: tl.constexpr = BLOCK_N // 2
            left, right = tl.split(tl.permute(tl.reshape(acc_MN, (BLOCK_M, 2, HALF)), (0, 2, 1)))
            out.store([m, n], _finish(left, bias, n, HALF, BIAS, GELU).to(out.dtype))
            out.store([m, n + HALF], _finish(right, bias, n + HALF, HALF, BIAS, GELU).to(out.dtype))
        else:
            out.store([m, n], _finish(acc_MN, bias, n, BLOCK_N, BIAS, GELU).to(out.dtype))
