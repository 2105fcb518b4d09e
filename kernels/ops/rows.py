"""Operations on rows: LayerNorm with the sums before it, and GELU with its bias.

Shapes: T tokens, d columns of a row, V and P rows of the two tables.
"""

import torch
from torch import Tensor

from kernels import reference
from kernels.ops.checks import check_integers, check_kind, check_rows, check_shape, refuse_gradients
from kernels.ops.dispatch import launching, row_route
from kernels.ops.registration import register


def residual_layer_norm(
    x: Tensor,
    residual: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    linear_bias: Tensor | None = None,
    eps: float,
) -> Tensor:
    """LayerNorm(x + linear_bias + residual) over the last dimension; the sums are fp32.

    Args:
        x: [..., d], what a linear layer gave.
        residual: [..., d].
        weight: [d], of the LayerNorm.
        bias: [d], of the LayerNorm.
        linear_bias: [d], of the linear layer, if that has not been added yet.
        eps: added to the variance.

    Returns:
        [..., d] contiguous.

    Raises:
        ValueError: shapes, dtypes or devices do not fit together.
        RuntimeError: a gradient is wanted.
    """
    refuse_gradients(x, residual, weight, bias, linear_bias)
    check_shape("residual", residual, x.shape)
    check_kind("residual", residual, x)
    check_rows(x, weight=weight, bias=bias, linear_bias=linear_bias)
    return _RESIDUAL_LAYER_NORM(x, residual, weight, bias, linear_bias, eps)


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
    """LayerNorm of the sum of word, position and type embeddings; the sums are fp32.

    Args:
        ids: [T] int64 or int32 rows of `word`. On a GPU nobody checks that they are.
        positions: [T] rows of `position`, likewise.
        word: [V, d].
        position: [P, d].
        type_row: [d], the one token type.
        weight: [d], of the LayerNorm.
        bias: [d], of the LayerNorm.
        eps: added to the variance.

    Returns:
        [T, d] contiguous.

    Raises:
        ValueError: shapes, dtypes or devices do not fit together.
        IndexError: on the CPU, a row that the table does not have.
        RuntimeError: a gradient is wanted.
    """
    refuse_gradients(word, position, type_row, weight, bias)
    if ids.dim() != 1 or word.dim() != 2 or position.dim() != 2:
        raise ValueError(
            f"ids, word and position are {list(ids.shape)}, {list(word.shape)} and {list(position.shape)}; "
            "[T], [V, d] and [P, d] are needed"
        )
    check_shape("positions", positions, ids.shape)
    for name, rows in (("ids", ids), ("positions", positions)):
        check_integers(name, rows, word, torch.int64, torch.int32)
    check_shape("position", position, (position.shape[0], word.shape[1]))
    check_kind("position", position, word)
    check_rows(word, type_row=type_row, weight=weight, bias=bias)
    return _EMBED_LAYER_NORM(ids, positions, word, position, type_row, weight, bias, eps)


def bias_gelu(x: Tensor, bias: Tensor) -> Tensor:
    """GELU by the error function of x + bias; the sum is fp32.

    Args:
        x: [..., d].
        bias: [d].

    Returns:
        [..., d] contiguous.

    Raises:
        ValueError: shapes, dtypes or devices do not fit together.
        RuntimeError: a gradient is wanted.
    """
    refuse_gradients(x, bias)
    check_rows(x, bias=bias)
    return _BIAS_GELU(x, bias)


def _aligned(x: Tensor) -> Tensor:
    """Contiguous from a 16-byte boundary: elsewhere Triton would compile another, slower kernel."""
    x = x.contiguous()
    return x if x.data_ptr() % 16 == 0 else x.clone()


def compute_residual_layer_norm(
    x: Tensor, residual: Tensor, weight: Tensor, bias: Tensor, linear_bias: Tensor | None, eps: float
) -> Tensor:
    """The op itself; in Triton x may be [P, ..., d] fp32 parts that add up to what is meant."""
    if row_route(x, x.shape[-1]) == "torch":
        return reference.residual_layer_norm(x, residual, weight, bias, linear_bias=linear_bias, eps=eps)
    from kernels import norm

    if linear_bias is not None:
        linear_bias = _aligned(linear_bias)
    tensors = map(_aligned, (x, residual, weight, bias))
    with launching(x):
        parts = len(x) if x.dim() > residual.dim() else 1
        return norm.run_residual_layer_norm(*tensors, linear_bias=linear_bias, eps=eps, parts=parts)


def _embed_layer_norm(
    ids: Tensor,
    positions: Tensor,
    word: Tensor,
    position: Tensor,
    type_row: Tensor,
    weight: Tensor,
    bias: Tensor,
    eps: float,
) -> Tensor:
    floats = (word, position, type_row, weight, bias)
    if row_route(word, word.shape[1]) == "torch":
        return reference.embed_layer_norm(ids, positions, *floats, eps=eps)
    from kernels import norm

    if not ids.is_cuda:
        for name, rows, table in (("ids", ids, word), ("positions", positions, position)):
            if rows.numel() and not 0 <= int(rows.min()) <= int(rows.max()) < table.shape[0]:
                raise IndexError(f"{name} hold a row that a table of {table.shape[0]} does not have")
    with launching(word):
        return norm.run_embed_layer_norm(_aligned(ids), _aligned(positions), *map(_aligned, floats), eps=eps)


def compute_bias_gelu(x: Tensor, bias: Tensor) -> Tensor:
    """The op itself."""
    if row_route(x) == "torch":
        return reference.bias_gelu(x, bias).contiguous()
    from kernels import activation

    with launching(x):
        return activation.run_bias_gelu(_aligned(x), _aligned(bias))


def _like_x(x: Tensor, *_: object) -> Tensor:
    return torch.empty_like(x, memory_format=torch.contiguous_format)


def _a_row_a_token(ids: Tensor, positions: Tensor, word: Tensor, *_: object) -> Tensor:
    del positions
    return word.new_empty(ids.shape[0], word.shape[1])


_RESIDUAL_LAYER_NORM = register(
    "residual_layer_norm",
    "(Tensor x, Tensor residual, Tensor weight, Tensor bias, Tensor? linear_bias, float eps) -> Tensor",
    implementation=compute_residual_layer_norm,
    fake=_like_x,
)
_EMBED_LAYER_NORM = register(
    "embed_layer_norm",
    "(Tensor ids, Tensor positions, Tensor word, Tensor position, Tensor type_row, "
    "Tensor weight, Tensor bias, float eps) -> Tensor",
    implementation=_embed_layer_norm,
    fake=_a_row_a_token,
)
_BIAS_GELU = register(
    "bias_gelu", "(Tensor x, Tensor bias) -> Tensor", implementation=compute_bias_gelu, fake=_like_x
)
