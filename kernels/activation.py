"""GELU, by the normal distribution, after a linear layer's bias, as one Triton kernel.

    run_bias_gelu(x, bias)

The launcher trusts its arguments: `kernels.ops` checks them. Definition: `kernels.reference`.
"""

from collections.abc import Iterator

import torch
import triton
import triton.language as tl
from torch import Tensor

from kernels.compilation import Compilation
from kernels.dependent import dependent, dependent_on, launch_options, start, wait
from kernels.warps import LANES, lanes_of, warps_for

LARGEST_BLOCK = 1024
SMALLEST_BLOCK = 256


@triton.jit
def gelu(x, EXACT: tl.constexpr):
    """x times the normal distribution's share below it, in fp32.

    With EXACT by the error function. Else the share beyond |x| is exp(-x^2 / 2) times a polynomial in
    1 / (1 + 0.38 |x|), fitted by us to a relative 4e-5 everywhere, its far tail too: a fiftieth of bf16's
    rounding and a tenth of fp16's.
    """
    if EXACT:
        return 0.5 * x * (1.0 + tl.erf(x * 0.7071067811865476))  # 1 / sqrt(2)
    size = tl.abs(x)
    t = 1.0 / (1.0 + 0.38 * size)
    share = 0.18886925337994936 - t * 0.08992520408165837
    share = t * (0.15122528746255276 + t * (0.15782783917261062 + t * (0.09198530648927108 + t * share)))
    # log2(e) / 2
    return tl.maximum(x, 0.0) - size * share * tl.math.exp2(size * size * -0.7213475204444817)


@triton.jit
def bias_gelu_kernel(
    x, bias, out, COLUMNS: tl.constexpr, BLOCK: tl.constexpr, EXACT: tl.constexpr, DEPENDENT: tl.constexpr
):
    """out = gelu(x + bias), a block of one row a program; blocks that fill the row need no mask."""
    start(DEPENDENT)
    wait(DEPENDENT)
    BLOCKS: tl.constexpr = (COLUMNS + BLOCK - 1) // BLOCK
    program = tl.program_id(0)
    columns = program % BLOCKS * BLOCK + tl.arange(0, BLOCK)
    row = (program // BLOCKS).to(tl.int64) * COLUMNS
    if COLUMNS % BLOCK == 0:
        total = tl.load(x + row + columns).to(tl.float32) + tl.load(bias + columns).to(tl.float32)
    else:
        inside = columns < COLUMNS
        total = tl.load(x + row + columns, mask=inside, other=0.0).to(tl.float32)
        total += tl.load(bias + columns, mask=inside, other=0.0).to(tl.float32)
    y = gelu(total, EXACT).to(out.dtype.element_ty)
    if COLUMNS % BLOCK == 0:
        tl.store(out + row + columns, y)
    else:
        tl.store(out + row + columns, y, mask=inside)


def block_shape(columns: int, lanes: int = LANES) -> tuple[int, int]:
    """Block and warps: the largest power of two that fills rows of this many columns."""
    block = LARGEST_BLOCK
    while columns % block and block > SMALLEST_BLOCK:
        block //= 2
    if columns % block:
        block = min(LARGEST_BLOCK, triton.next_power_of_2(columns))
    return block, warps_for(block, lanes)


def run_bias_gelu(x: Tensor, bias: Tensor) -> Tensor:
    """Launches `bias_gelu_kernel`: x contiguous [..., d], bias [d] -> [..., d]."""
    out = x.new_empty(x.shape)
    columns = x.shape[-1]
    if x.numel():
        block, warps = block_shape(columns)
        grid = (x.numel() // columns * triton.cdiv(columns, block),)
        bias_gelu_kernel[grid](
            x,
            bias,
            out,
            columns,
            block,
            EXACT=x.dtype is torch.float32,
            DEPENDENT=dependent(x.device),
            num_warps=warps,
            enable_fp_fusion=True,
            **launch_options(x.device),
        )
    return out


def compilations(arch: str) -> Iterator[Compilation]:
    """What to compile ahead of time: XLM-R's widths, as launched; the bars are for Large, 4096."""
    for columns in (4096, 3072, 1536):
        block, warps = block_shape(columns, lanes_of(arch))
        for dtype in ("bf16", "fp16"):
            yield Compilation(
                name=f"bias_gelu-{columns}-{dtype}",
                kernel="bias_gelu",
                fn=bias_gelu_kernel,
                signature=dict.fromkeys(("x", "bias", "out"), f"*{dtype}"),
                constexprs={
                    "COLUMNS": columns,
                    "BLOCK": block,
                    "EXACT": False,
                    "DEPENDENT": dependent_on(arch),
                },
                warps=warps,
                stages=1,
                facts={"dtype": dtype, "columns": columns},
            )
