"""What every call is checked for before it becomes an op. No value of a tensor is read, so none waits."""

import math

import torch
from torch import Tensor


def refuse_gradients(*tensors: Tensor | None) -> None:
    """The kernels have no backward.

    Raises:
        RuntimeError: gradients are recorded, and one of the tensors wants one.
    """
    if not torch.is_grad_enabled():
        return
    for tensor in tensors:
        if tensor is not None and tensor.requires_grad:
            raise RuntimeError(
                "kernels.ops is for inference: call it under torch.no_grad(), or train with kernels.reference"
            )


def check_shape(name: str, x: Tensor, shape: torch.Size | tuple[int, ...]) -> None:
    """Raises ValueError unless x has the shape."""
    if x.shape != shape:
        raise ValueError(f"{name} is {list(x.shape)}; {list(shape)} is needed")


def check_kind(name: str, x: Tensor, other: Tensor) -> None:
    """Raises ValueError unless x has the dtype of the other tensor, and lies beside it."""
    if x.dtype != other.dtype or x.device != other.device:
        raise ValueError(f"{name} is {x.dtype} on {x.device}; {other.dtype} on {other.device} is needed")


def check_rows(x: Tensor, **rows: Tensor | None) -> None:
    """Raises ValueError unless each is a row as those of x, or None."""
    for name, row in rows.items():
        if row is not None:
            check_shape(name, row, (x.shape[-1],))
            check_kind(name, row, x)


def check_integers(name: str, x: Tensor, other: Tensor, *dtypes: torch.dtype) -> None:
    """Raises ValueError unless x has one of the dtypes and lies beside the other tensor."""
    if x.dtype not in dtypes or x.device != other.device:
        known = " or ".join(str(dtype) for dtype in dtypes)
        raise ValueError(f"{name}: {x.dtype} on {x.device}; {known} on {other.device} is needed")


def check_attention(layout: str, q: Tensor, k: Tensor, v: Tensor) -> None:
    """Raises ValueError unless q has as many dimensions as the layout has names, and k and v are alike."""
    if q.dim() != layout.count(",") + 1:
        raise ValueError(f"q is {list(q.shape)}; {layout} is needed")
    for name, x in (("k", k), ("v", v)):
        check_shape(name, x, q.shape)
        check_kind(name, x, q)


def check_scale(scale: float | None, head_dim: int) -> float:
    """The scale, or its default.

    Raises:
        ValueError: it is not positive: the kernels take maxima before they scale.
    """
    if scale is None:
        return 1.0 / math.sqrt(head_dim)
    if not scale > 0:
        raise ValueError(f"scale is {scale}; it must be positive")
    return float(scale)


def check_bounds(q: Tensor, cu_seqlens: Tensor, blocks: Tensor | None, block_m: int) -> None:
    """Raises ValueError unless the bounds, and the table of blocks if there is one, can be of q's rows."""
    if cu_seqlens.dim() != 1 or cu_seqlens.shape[0] == 0:
        raise ValueError(f"cu_seqlens is {list(cu_seqlens.shape)}; [B + 1] is needed")
    check_integers("cu_seqlens", cu_seqlens, q, torch.int32)
    if blocks is None:
        return
    if blocks.dim() != 2 or blocks.shape[1] != 2 or not blocks.is_contiguous():
        raise ValueError(f"blocks is {list(blocks.shape)}; a contiguous [R, 2] is needed")
    check_integers("blocks", blocks, q, torch.int32)
    B = cu_seqlens.shape[0] - 1
    most = q.shape[0] // block_m + B
    if blocks.shape[0] > most:
        raise ValueError(
            f"{blocks.shape[0]} blocks, but {q.shape[0]} tokens in {B} sequences have at most {most} of "
            f"{block_m} queries: was the table made for this batch, and for block_m={block_m}?"
        )
