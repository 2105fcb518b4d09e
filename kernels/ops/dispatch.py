"""Which implementation takes a call, and why: the one place that decides.

    route = attention_route(q)     # "triton", "varlen" or "sdpa"
    route = row_route(x)           # "triton" or "torch"
    why_not(q, head_dim=64)        # the reasons against Triton

A decision is made once for a device, dtype and shape of row, and remembered: a call costs one look-up.
"""

import contextlib
import functools
import importlib.util
import logging
import os
from typing import Literal

import torch
from torch import Tensor

from kernels.tiles import DType, known_architecture

log = logging.getLogger("kernels")

HEAD_DIMS = (32, 64, 128)
DTYPES: dict[torch.dtype, DType] = {torch.float32: "fp32", torch.float16: "fp16", torch.bfloat16: "bf16"}
MAX_COLUMNS = 8192
# Decoration decides whether a kernel is interpreted, so the flag is read once, as Triton reads it.
INTERPRETED = os.environ.get("TRITON_INTERPRET", "").lower() in ("1", "true", "yes", "on", "y")

AttentionRoute = Literal["triton", "varlen", "sdpa"]
RowRoute = Literal["triton", "torch"]
Layout = Literal["packed", "padded"]


def why_not(x: Tensor, *, head_dim: int | None = None, columns: int | None = None) -> tuple[str, ...]:
    """The reasons for which no Triton kernel takes a tensor; none: it does.

    Args:
        x: the tensor: its device and dtype count.
        head_dim: size of a head, for attention.
        columns: length of a row, for the LayerNorm kernels.
    """
    return _reasons(x.device, x.dtype, head_dim, columns, _products(x))


def attention_route(q: Tensor, layout: Layout = "packed") -> AttentionRoute:
    """Who computes attention over heads of q's last dimension; varlen takes packed sequences only."""
    return _attention_route(q.device, q.dtype, q.shape[-1], _products(q), layout)


def row_route(x: Tensor, columns: int | None = None) -> RowRoute:
    """Who computes an operation on rows, where their length counts of this many columns."""
    return _row_route(x.device, x.dtype, columns)


def _products(x: Tensor) -> str:
    """How fp32 products may be rounded on x's device, if that matters."""
    if x.dtype is torch.float32 and x.is_cuda:
        return torch.backends.cuda.matmul.fp32_precision
    return "none"


@functools.cache
def _attention_route(
    device: torch.device, dtype: torch.dtype, head_dim: int, products: str, layout: Layout
) -> AttentionRoute:
    reasons = _reasons(device, dtype, head_dim, None, products)
    if not reasons:
        return "triton"
    if layout == "packed" and _varlen_takes(device, dtype, head_dim):
        say(f"attention runs in torch.nn.attention.varlen: {'; '.join(reasons)}")
        return "varlen"
    say(f"attention runs in PyTorch's scaled_dot_product_attention: {'; '.join(reasons)}")
    return "sdpa"


@functools.cache
def _row_route(device: torch.device, dtype: torch.dtype, columns: int | None) -> RowRoute:
    reasons = _reasons(device, dtype, None, columns, "none")
    if not reasons:
        return "triton"
    say(f"operations on rows run unfused: {'; '.join(reasons)}")
    return "torch"


@functools.cache
def say(message: str) -> None:
    """Warns once."""
    log.warning(message)


@functools.cache
def _reasons(
    device: torch.device, dtype: torch.dtype, head_dim: int | None, columns: int | None, products: str
) -> tuple[str, ...]:
    found = [_device_refused(device)]
    if head_dim is not None and device.type == "cuda":
        found.append(_tiles_refused(device))
    if dtype not in DTYPES:
        found.append(f"{dtype} is none of float32, float16, bfloat16")
    if head_dim is not None and head_dim not in HEAD_DIMS:
        found.append(f"head size {head_dim} is none of {', '.join(map(str, HEAD_DIMS))}")
    if columns is not None and columns > MAX_COLUMNS:
        found.append(f"rows of {columns} columns; at most {MAX_COLUMNS} fit")
    if head_dim is not None and dtype is torch.float32 and device.type == "cuda" and products != "tf32":
        found.append('float32 products run as TF32: torch.set_float32_matmul_precision("high") allows it')
    return tuple(reason for reason in found if reason)


def _device_refused(device: torch.device) -> str | None:
    if device.type not in ("cpu", "cuda"):
        return f"no Triton kernels on {device.type}"
    if device.type == "cpu" and not INTERPRETED:
        return "the tensors are on the CPU, and TRITON_INTERPRET was not set at import"
    if importlib.util.find_spec("triton") is None:
        return "Triton is not installed"
    if device.type == "cuda" and not torch.version.hip:
        capability = torch.cuda.get_device_capability(device)
        if capability < (8, 0):
            return f"compute capability {capability[0]}.{capability[1]} is below 8.0"
    return None


def _tiles_refused(device: torch.device) -> str | None:
    try:
        known_architecture(architecture(device))
    except ValueError as error:
        return str(error)
    return None


def _varlen_takes(device: torch.device, dtype: torch.dtype, head_dim: int) -> bool:
    """Whether PyTorch's own flash attention does what the Triton kernel cannot."""
    return (
        device.type == "cuda"
        and not torch.version.hip
        and torch.cuda.get_device_capability(device) >= (8, 0)
        and dtype in (torch.float16, torch.bfloat16)
        and head_dim <= 256
        and head_dim % 8 == 0
    )


@functools.cache
def architecture(device: torch.device) -> str:
    """The name the tile table knows a device by, such as sm_80; the interpreter takes that one's tiles."""
    if device.type == "cpu":
        return "sm_80"
    if torch.version.hip:
        return torch.cuda.get_device_properties(device).gcnArchName.split(":")[0]
    major, minor = torch.cuda.get_device_capability(device)
    return f"sm_{major}{minor}"


_HERE = contextlib.nullcontext()


def launching(x: Tensor) -> contextlib.AbstractContextManager[object]:
    """Makes x's device the current one, where Triton launches."""
    if not x.is_cuda or x.device.index == torch.cuda.current_device():
        return _HERE
    return torch.cuda.device(x.device)
