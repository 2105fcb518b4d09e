"""LayerNorm and what stands before it in one Triton kernel: one row a program, all of it in fp32 registers.

    run_residual_layer_norm(x, residual, weight, bias, linear_bias=bias_or_none, eps=1e-5)
    run_embed_layer_norm(ids, positions, word, position, type_row, weight, bias, eps=1e-5)

The launchers trust their arguments: `kernels.ops` checks them. Definitions: `kernels.reference`.

Shapes: T tokens, d columns of a row, V and P rows of the two tables.
"""

from collections.abc import Iterator

import triton
import triton.language as tl
from torch import Tensor

from kernels.compilation import Compilation
from kernels.dependent import dependent, dependent_on, launch_options, start, wait
from kernels.warps import LANES, lanes_of, warps_for


@triton.jit
def _load_row(pointer, columns, COLUMNS: tl.constexpr, BLOCK: tl.constexpr):
    """A row of COLUMNS values in fp32, zeros after it; a power of two needs no mask."""
    if COLUMNS == BLOCK:
        row = tl.load(pointer + columns)
    else:
        row = tl.load(pointer + columns, mask=columns < COLUMNS, other=0.0)
    return row.to(tl.float32)


@triton.jit
def _store_normalised(out, x, weight, bias, eps, columns, COLUMNS: tl.constexpr, BLOCK: tl.constexpr):
    """LayerNorm of the row x: the variance is summed from differences, so that no digits cancel."""
    mean = tl.sum(x, 0) / COLUMNS
    difference = x - mean
    if COLUMNS != BLOCK:
        difference = tl.where(columns < COLUMNS, difference, 0.0)
    variance = tl.sum(difference * difference, 0) / COLUMNS
    gain = _load_row(weight, columns, COLUMNS, BLOCK)
    shift = _load_row(bias, columns, COLUMNS, BLOCK)
    y = (difference * tl.rsqrt(variance + eps) * gain + shift).to(out.dtype.element_ty)
    if COLUMNS == BLOCK:
        tl.store(out + columns, y)
    else:
        tl.store(out + columns, y, mask=columns < COLUMNS)


@triton.jit
def residual_layer_norm_kernel(
    x,
    residual,
    linear_bias,
    weight,
    bias,
    out,
    eps,
    COLUMNS: tl.constexpr,
    BLOCK: tl.constexpr,
    PARTS: tl.constexpr,
    DEPENDENT: tl.constexpr,
):
    """out = LayerNorm(x + linear_bias + residual), a row a program; linear_bias may be None.

    x may be the sum of PARTS such tensors, one behind the other.
    """
    start(DEPENDENT)
    row = tl.program_id(0).to(tl.int64) * COLUMNS
    columns = tl.arange(0, BLOCK)
    wait(DEPENDENT)
    total = _load_row(x + row, columns, COLUMNS, BLOCK)
    for part in tl.static_range(1, PARTS):
        total += _load_row(
            x + tl.num_programs(0).to(tl.int64) * COLUMNS * part + row, columns, COLUMNS, BLOCK
        )
    if linear_bias is not None:
        total += _load_row(linear_bias, columns, COLUMNS, BLOCK)
    total += _load_row(residual + row, columns, COLUMNS, BLOCK)
    _store_normalised(out + row, total, weight, bias, eps, columns, COLUMNS, BLOCK)


@triton.jit
def embed_layer_norm_kernel(
    ids,
    positions,
    word,
    position,
    type_row,
    weight,
    bias,
    out,
    eps,
    COLUMNS: tl.constexpr,
    BLOCK: tl.constexpr,
    DEPENDENT: tl.constexpr,
):
    """out = LayerNorm(word[id] + position[position] + type_row), a token a program."""
    start(DEPENDENT)
    wait(DEPENDENT)
    token = tl.program_id(0).to(tl.int64)
    columns = tl.arange(0, BLOCK)
    word_row = tl.load(ids + token).to(tl.int64) * COLUMNS
    position_row = tl.load(positions + token).to(tl.int64) * COLUMNS
    total = _load_row(word + word_row, columns, COLUMNS, BLOCK)
    total += _load_row(position + position_row, columns, COLUMNS, BLOCK)
    total += _load_row(type_row, columns, COLUMNS, BLOCK)
    _store_normalised(out + token * COLUMNS, total, weight, bias, eps, columns, COLUMNS, BLOCK)


def row_shape(columns: int, lanes: int = LANES) -> tuple[int, int]:
    """Block and warps for rows of this many columns."""
    block = triton.next_power_of_2(columns)
    return block, warps_for(block, lanes)


def run_residual_layer_norm(
    x: Tensor,
    residual: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    linear_bias: Tensor | None,
    eps: float,
    parts: int = 1,
) -> Tensor:
    """Launches `residual_layer_norm_kernel`: x [parts, ...] and residual, contiguous [..., d] -> [..., d]."""
    out = residual.new_empty(residual.shape)
    columns = residual.shape[-1]
    if rows := residual.numel() // columns:
        block, warps = row_shape(columns)
        residual_layer_norm_kernel[(rows,)](
            x,
            residual,
            linear_bias,
            weight,
            bias,
            out,
            eps,
            columns,
            block,
            parts,
            dependent(out.device),
            num_warps=warps,
            enable_fp_fusion=True,
            **launch_options(out.device),
        )
    return out


def run_embed_layer_norm(
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
    """Launches `embed_layer_norm_kernel`: ids, positions contiguous [T] -> [T, d]."""
    columns = word.shape[1]
    out = word.new_empty(ids.shape[0], columns)
    if ids.shape[0]:
        block, warps = row_shape(columns)
        embed_layer_norm_kernel[(ids.shape[0],)](
            ids,
            positions,
            word,
            position,
            type_row,
            weight,
            bias,
            out,
            eps,
            columns,
            block,
            dependent(out.device),
            num_warps=warps,
            enable_fp_fusion=True,
            **launch_options(out.device),
        )
    return out


def compilations(arch: str) -> Iterator[Compilation]:
    """What to compile ahead of time: XLM-R's widths, as launched; the bars are for Large, 1024."""
    tables = ("word", "position", "type_row")
    kernels = {
        "residual_layer_norm": (
            residual_layer_norm_kernel,
            ("x", "residual", "linear_bias"),
            {},
            {"PARTS": 1},
        ),
        "embed_layer_norm": (embed_layer_norm_kernel, tables, {"ids": "*i32", "positions": "*i32"}, {}),
    }
    for name, (fn, inputs, indices, more) in kernels.items():
        for columns in (1024, 768, 384):
            block, warps = row_shape(columns, lanes_of(arch))
            for dtype in ("bf16", "fp16"):
                yield Compilation(
                    name=f"{name}-{columns}-{dtype}",
                    kernel=name,
                    fn=fn,
                    signature=indices
                    | dict.fromkeys((*inputs, "weight", "bias", "out"), f"*{dtype}")
                    | {"eps": "fp32"},
                    constexprs={
                        "COLUMNS": columns,
                        "BLOCK": block,
                        "DEPENDENT": dependent_on(arch),
                        **more,
                    },
                    warps=warps,
                    stages=1,
                    facts={"dtype": dtype, "columns": columns},
                )
