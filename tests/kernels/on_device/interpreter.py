"""Makes Triton's interpreter multiply, and compute in bfloat16, as the hardware does.

The interpreter keeps bfloat16 as its 16 raw bits, multiplies those bits as integers in `tl.dot`, and cuts
fp32 off instead of rounding it; its authors document that as a limitation. Here products are taken of the
values, and fp32 is rounded to the nearest, ties to even. All other arithmetic on bfloat16 stays wrong, so the
kernels do it in fp32.

Nor does a row of a product depend on how many rows there are, which is left open by the BLAS that numpy calls
(OpenBLAS on processors without AVX-512 sums 64 rows in another order than 128): it gets 16 rows at a time.
"""

import inspect

import numpy as np
import triton.language as tl
from triton.runtime.interpreter import InterpreterBuilder, TensorHandle

HOOKS = {
    "create_dot": ["self", "a", "b", "d", "input_precision", "max_num_imprecise_acc"],
    "cast_impl": ["self", "src", "dst_type"],
}
ROWS = 16
"""The least that `tl.dot` takes."""
ORIGINALS = {name: getattr(InterpreterBuilder, name, None) for name in HOOKS}


def install():
    """Corrects the interpreter in this process."""
    for name, corrected in CORRECTED.items():
        setattr(InterpreterBuilder, name, corrected)


def moved():
    """The hooks that are no longer what the corrections wrap."""
    return [
        name
        for name, parameters in HOOKS.items()
        if ORIGINALS[name] is None or list(inspect.signature(ORIGINALS[name]).parameters) != parameters
    ]


def widen(handle):
    if handle.dtype.scalar != tl.bfloat16:
        return handle
    return TensorHandle((handle.data.astype(np.uint32) << 16).view(np.float32), tl.float32)


def round_to_nearest_even(values):
    """fp32 -> the bits of bfloat16; NaN stays NaN."""
    bits = np.ascontiguousarray(values).view(np.uint32)
    rounded = bits + np.uint32(0x7FFF) + ((bits >> 16) & 1)
    return (np.where(np.isnan(values), bits | np.uint32(1 << 22), rounded) >> 16).astype(np.uint16)


def _create_dot(self, a, b, d, input_precision, max_num_imprecise_acc):
    a, b = widen(a), widen(b)
    out = []
    for at in range(0, a.data.shape[-2], ROWS):
        few, those = (
            TensorHandle(np.ascontiguousarray(x.data[..., at : at + ROWS, :]), x.dtype) for x in (a, d)
        )
        done = ORIGINALS["create_dot"](self, few, b, those, input_precision, max_num_imprecise_acc)
        out.append(done.data)
    return TensorHandle(np.concatenate(out, -2), d.dtype.scalar)


def _cast_impl(self, src, dst_type):
    if src.dtype.scalar == tl.float32 and dst_type.scalar == tl.bfloat16:
        return TensorHandle(round_to_nearest_even(src.data), tl.bfloat16)
    return ORIGINALS["cast_impl"](self, src, dst_type)


CORRECTED = {"create_dot": _create_dot, "cast_impl": _cast_impl}
