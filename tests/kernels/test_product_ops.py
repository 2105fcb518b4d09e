"""Linear layers with what follows them, as ops: values, checks, and that PyTorch's machinery takes them."""

import pytest
import torch
from torch.library import opcheck

from kernels import ops, reference
from kernels.ops.products import tiling_of

T, N, K = 7, 24, 16


@pytest.fixture
def given():
    draws = torch.Generator().manual_seed(0)
    x, weight, bias, residual = (
        torch.randn(*size, generator=draws) for size in ((T, K), (N, K), (N,), (T, N))
    )
    return {"x": x, "weight": weight, "bias": bias, "residual": residual, "gain": bias + 1, "shift": bias * 2}


def call(name, given, module=ops):
    first = (given["x"], given["weight"], given["bias"])
    if name == "linear_residual_norm":
        return module.linear_residual_norm(*first, given["residual"], given["gain"], given["shift"], eps=1e-5)
    return getattr(module, name)(*first)


def plain(name, given):
    return call(name, {one: x.double() for one, x in given.items()}, reference).float()


NAMES = ("linear", "linear_gelu", "linear_residual_norm")


@pytest.mark.parametrize("name", NAMES)
def test_on_the_cpu_an_op_is_what_pytorch_computes(name, given):
    torch.testing.assert_close(call(name, given), plain(name, given))
    empty = given | {"x": given["x"][:0], "residual": given["residual"][:0]}
    assert call(name, empty).shape == (0, N)


@pytest.mark.parametrize("name", NAMES)
def test_an_op_keeps_pytorchs_rules(name, given):
    arguments = [given["x"], given["weight"], given["bias"]]
    if name == "linear_residual_norm":
        arguments += [given["residual"], given["gain"], given["shift"], 1e-5]
    opcheck(getattr(torch.ops.stilts, name).default, tuple(arguments))


@pytest.mark.parametrize("name", NAMES)
def test_compiled_whole_it_agrees(name, given):
    torch._dynamo.reset()
    compiled = torch.compile(lambda: call(name, given), fullgraph=True, backend="aot_eager")
    with torch.no_grad():
        torch.testing.assert_close(compiled(), call(name, given), rtol=0.0, atol=0.0)


@pytest.mark.parametrize(
    ("name", "changed", "told"),
    [
        ("linear", {"x": torch.zeros(T, K + 1)}, r"x is \[7, 17\]; \[7, 16\] is needed"),
        ("linear", {"x": torch.zeros(2, T, K)}, r"\[T, K\]"),
        ("linear_gelu", {"bias": torch.zeros(N + 1)}, r"bias is \[25\]"),
        ("linear_gelu", {"weight": torch.zeros(N, K).half()}, "weight is torch.float16"),
        ("linear_residual_norm", {"residual": torch.zeros(T, K)}, r"residual is \[7, 16\]"),
        ("linear_residual_norm", {"gain": torch.zeros(K)}, r"norm_weight is \[16\]"),
        ("linear_residual_norm", {"shift": torch.zeros(N).double()}, "norm_bias is torch.float64"),
    ],
)
def test_what_does_not_fit_together_is_refused(name, changed, told, given):
    with pytest.raises(ValueError, match=told):
        call(name, given | changed)


def test_a_gradient_is_refused(given):
    with pytest.raises(RuntimeError, match="for inference"):
        call("linear", given | {"weight": given["weight"].requires_grad_()})


def test_without_a_gpu_pytorch_computes(given):
    assert tiling_of(given["x"].half(), given["weight"].half(), "bias") is None
