"""The interpreter's faults in bfloat16 are still there, still where they are corrected, and still corrected.

When an upgrade of Triton mends or moves one, this fails and says which correction to drop or to port.
"""

import pytest
import torch
import triton
import triton.language as tl
from triton.runtime.interpreter import InterpreterBuilder

from tests.kernels.on_device import interpreter

WHERE = "tests/kernels/on_device/interpreter.py"
EXACT = torch.tensor(
    [1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-8 + 2**-20, -1.75, float("inf"), float("nan"), 0.0, 3.0]
)


@triton.jit
def dot_kernel(a, b, out):
    square = tl.arange(0, 16)[:, None] * 16 + tl.arange(0, 16)[None, :]
    tl.store(out + square, tl.dot(tl.load(a + square), tl.load(b + square)))


@triton.jit
def cast_kernel(x, out):
    index = tl.arange(0, 8)
    tl.store(out + index, tl.load(x + index).to(tl.bfloat16))


def dot_is_right():
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randint(-8, 8, (16, 16), generator=generator).bfloat16() for _ in range(2))
    out = torch.zeros(16, 16)
    dot_kernel[(1,)](a, b, out)
    return torch.equal(out, a.float() @ b.float())


def cast_is_right():
    out = torch.zeros(8, dtype=torch.bfloat16)
    cast_kernel[(1,)](EXACT, out)
    return torch.equal(out.nan_to_num(nan=9.0), EXACT.bfloat16().nan_to_num(nan=9.0))


PROBES = {"create_dot": dot_is_right, "cast_impl": cast_is_right}


def complaints(original):
    """What to do about an interpreter whose own hooks are these."""
    moved = [
        f"InterpreterBuilder.{name} is gone or takes other arguments: port its correction in {WHERE}"
        for name in interpreter.moved()
    ]
    mended = []
    with pytest.MonkeyPatch.context() as patch:
        for name, hook in original.items():
            if hook is not None:
                patch.setattr(InterpreterBuilder, name, hook)
        for name, is_right in PROBES.items():
            if is_right():
                mended.append(f"the interpreter needs no {name} for bfloat16 any more: drop it from {WHERE}")
    return moved + mended


def test_the_faults_are_still_where_they_are_corrected():
    assert complaints(interpreter.ORIGINALS) == []


def test_the_corrections_correct():
    assert dot_is_right()
    assert cast_is_right()


def test_a_mended_interpreter_would_be_noticed():
    assert complaints(interpreter.CORRECTED) == [
        f"the interpreter needs no {name} for bfloat16 any more: drop it from {WHERE}"
        for name in ("create_dot", "cast_impl")
    ]


def test_a_moved_hook_would_be_noticed(monkeypatch):
    monkeypatch.setitem(interpreter.ORIGINALS, "cast_impl", lambda self, source, kind: None)
    monkeypatch.setitem(interpreter.ORIGINALS, "create_dot", None)
    assert interpreter.moved() == ["create_dot", "cast_impl"]


def test_the_rounding_is_pytorchs():
    values = torch.randn(4096, generator=torch.Generator().manual_seed(0))
    bits = interpreter.round_to_nearest_even(values.numpy())
    assert torch.equal(torch.from_numpy(bits.view("int16")).view(torch.bfloat16), values.bfloat16())
