"""Linear layers with what follows them.

Shapes: T tokens, K values of the input, N of the output.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from kernels.ops import rows
from kernels.ops.checks import check_kind, check_shape, refuse_gradients
from kernels.ops.dispatch import DTYPES, architecture, launching, row_route
from kernels.ops.registration import register
from kernels.product.tiling import Epilogue, Tiling, tiling_for


def linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """x weight^T + bias.

    Args:
        x: [T, K].
        weight: [N, K].
        bias: [N].

    Returns:
        [T, N].

    Raises:
        ValueError: shapes, dtypes or devices do not fit together.
        RuntimeError: a gradient is wanted.
    """
    _check(x, weight, bias)
    return _LINEAR(x, weight, bias)


def linear_gelu(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """GELU of `linear`; the sum with the bias is fp32. Arguments, result and errors are `linear`'s."""
    _check(x, weight, bias)
    return _LINEAR_GELU(x, weight, bias)


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
    """LayerNorm(x weight^T + bias + residual); the sums are fp32.

    Args:
        x: [T, K].
        weight: [N, K].
        bias: [N].
        residual: [T, N].
        norm_weight: [N], of the LayerNorm.
        norm_bias: [N], of the LayerNorm.
        eps: added to the variance.

    Returns:
        [T, N].

    Raises:
        ValueError: shapes, dtypes or devices do not fit together.
        RuntimeError: a gradient is wanted.
    """
    _check(x, weight, bias)
    refuse_gradients(residual, norm_weight, norm_bias)
    check_shape("residual", residual, (x.shape[0], weight.shape[0]))
    for name, row in (("norm_weight", norm_weight), ("norm_bias", norm_bias)):
        check_shape(name, row, bias.shape)
    for name, other in (("residual", residual), ("norm_weight", norm_weight), ("norm_bias", norm_bias)):
        check_kind(name, other, x)
    return _LINEAR_RESIDUAL_NORM(x, weight, bias, residual, norm_weight, norm_bias, eps)


def tiling_of(x: Tensor, weight: Tensor, epilogue: Epilogue) -> Tiling | None:
    """How a product is cut; None: PyTorch computes it."""
    if not x.is_cuda or x.dtype not in DTYPES or x.dtype is torch.float32:
        return None
    N, K = weight.shape
    tiling = tiling_for(architecture(x.device), epilogue, (N, K), len(x))
    if tiling is None or not (x.is_contiguous() and weight.is_contiguous()):
        return None
    return tiling if all(tensor.data_ptr() % 16 == 0 for tensor in (x, weight)) else None


def _check(x: Tensor, weight: Tensor, bias: Tensor) -> None:
    refuse_gradients(x, weight, bias)
    if x.dim() != 2 or weight.dim() != 2:
        raise ValueError(
            f"x and weight are {list(x.shape)} and {list(weight.shape)}; [T, K] and [N, K] needed"
        )
    check_shape("x", x, (x.shape[0], weight.shape[1]))
    check_shape("bias", bias, (weight.shape[0],))
    check_kind("weight", weight, x)
    check_kind("bias", bias, x)


def _product(x: Tensor, weight: Tensor, bias: Tensor | None, tiling: Tiling, *, gelu: bool = False) -> Tensor:
    from kernels.product.launch import run_product

    with launching(x):
        return run_product(x, weight, bias, gelu=gelu, tiling=tiling)


def _linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    tiling = tiling_of(x, weight, "bias")
    return F.linear(x, weight, bias) if tiling is None else _product(x, weight, bias, tiling)


def _linear_gelu(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    tiling = tiling_of(x, weight, "gelu")
    if tiling is None:
        return rows.compute_bias_gelu(F.linear(x, weight), bias)
    return _product(x, weight, bias, tiling, gelu=True)


def _linear_residual_norm(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    residual: Tensor,
    norm_weight: Tensor,
    norm_bias: Tensor,
    eps: float,
) -> Tensor:
    tiling = tiling_of(x, weight, "norm") if row_route(x, len(weight)) == "triton" else None
    product = F.linear(x, weight) if tiling is None else _product(x, weight, None, tiling)
    return rows.compute_residual_layer_norm(product, residual, norm_weight, norm_bias, bias, eps)


def _fake(x: Tensor, weight: Tensor, *_: object) -> Tensor:
    return x.new_empty(x.shape[0], weight.shape[0])


_LINEAR = register(
    "linear", "(Tensor x, Tensor weight, Tensor bias) -> Tensor", implementation=_linear, fake=_fake
)
_LINEAR_GELU = register(
    "linear_gelu", "(Tensor x, Tensor weight, Tensor bias) -> Tensor", implementation=_linear_gelu, fake=_fake
)
_LINEAR_RESIDUAL_NORM = register(
    "linear_residual_norm",
    "(Tensor x, Tensor weight, Tensor bias, Tensor residual, Tensor norm_weight, Tensor norm_bias, "
    "float eps) -> Tensor",
    implementation=_linear_residual_norm,
    fake=_fake,
)
