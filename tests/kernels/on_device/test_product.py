"""Products in Triton against fp64: every form, ragged numbers of rows, parts, GELU."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.special import ndtr

from kernels.ops import rows
from kernels.product.launch import run_product
from kernels.product.tiling import Tiling
from tests.kernels.devices import generator

FEW = Tiling("few_rows", 16, 32, 32, 1, 4, 2)
MANY = Tiling("many_rows", 32, 32, 32, 1, 4, 2)
WIDE = Tiling("many_rows", 16, 256, 32, 1, 4, 2)


def case(T, N, K, dtype=torch.float16, seed=0):
    draws = generator(seed)
    x, weight, bias = (torch.randn(*size, generator=draws) for size in ((T, K), (N, K), (N,)))
    return x.to(dtype), (weight * K**-0.5).to(dtype), bias.to(dtype)


def error(got, wanted):
    return float((got.double() - wanted).abs().max())


@pytest.mark.parametrize("T", [1, 15, 16, 17, 70])
@pytest.mark.parametrize("tiling", [FEW, MANY, WIDE], ids=str)
@pytest.mark.parametrize("gelu", [False, True])
def test_a_product_with_what_follows_it(T, tiling, gelu):
    x, weight, bias = case(T, 256 if tiling is WIDE else 64, 96)
    wanted = F.linear(x.double(), weight.double(), bias.double())
    unfused = F.linear(x, weight, bias)
    if gelu:
        wanted, unfused = F.gelu(wanted), F.gelu(unfused)
    out = run_product(x, weight, bias, gelu=gelu, tiling=tiling)
    assert out.dtype == x.dtype
    assert error(out, wanted) <= 2 * error(unfused, wanted) + 1e-5


def test_bf16_is_rounded_once(guard):
    del guard
    x, weight, bias = case(20, 64, 96, torch.bfloat16)
    wanted = F.gelu(F.linear(x.double(), weight.double(), bias.double()))
    for tiling in (FEW, MANY):
        out = run_product(x, weight, bias, gelu=True, tiling=tiling).double()
        assert bool(((out - wanted).abs() <= 2**-8 * wanted.abs() + 1e-6).all())


@pytest.mark.parametrize("split", [1, 3])
def test_parts_are_summed_by_the_layer_norm_that_follows(split):
    x, weight, bias = case(18, 64, 96)
    residual, gain, shift = (torch.randn(*size).half() for size in ((18, 64), (64,), (64,)))
    tiling = Tiling("few_rows", 16, 32, 32, split, 4, 2)
    product = run_product(x, weight, None, tiling=tiling)
    assert product.shape == ((3, 18, 64) if split > 1 else (18, 64))
    out = rows.compute_residual_layer_norm(product, residual, gain, shift, bias, 1e-5)
    exact = F.linear(x.double(), weight.double(), bias.double()) + residual.double()
    wanted = F.layer_norm(exact, (64,), gain.double(), shift.double(), 1e-5)
    unfused = F.layer_norm(F.linear(x, weight, bias) + residual, (64,), gain, shift, 1e-5)
    assert error(out, wanted) <= 2 * error(unfused, wanted) + 1e-5


@pytest.mark.parametrize("tiling", [FEW, MANY, WIDE], ids=str)
def test_nothing_behind_the_last_row_is_read_or_written(tiling):
    N = 256 if tiling is WIDE else 64
    x, weight, bias = case(33, N, 96)
    behind = torch.cat((x, torch.full((40, 96), float("nan"), dtype=x.dtype)))[:33]
    assert torch.equal(
        run_product(behind, weight, bias, tiling=tiling), run_product(x, weight, bias, tiling=tiling)
    )


def test_gelu_is_the_normal_distributions_to_its_far_tail():
    from kernels.activation import run_bias_gelu

    x = torch.linspace(-5.5, 8, 4096).half()
    wanted = x.double().cpu().numpy() * ndtr(x.double().cpu().numpy())
    out = run_bias_gelu(x[None], torch.zeros(4096).half())[0].double().cpu().numpy()
    assert np.all(np.abs(out - wanted) <= (2**-11 + 5e-5) * np.abs(wanted) + 2**-25)


def test_what_does_not_divide_does_not_fit():
    assert FEW.fits((64, 96))
    assert not FEW.fits((48, 96))
    assert not Tiling("few_rows", 16, 32, 32, 2, 4, 2).fits((64, 96))
