"""The GELU kernel against float64, with unfused PyTorch as the baseline."""

import pytest
import torch

from kernels import reference
from kernels.activation import block_shape, run_bias_gelu
from tests.kernels.on_device.rows import COLUMNS, DTYPES, assert_as_exact_as, doubled, rows


@pytest.mark.parametrize("columns", [4096, 3072, 1536, *COLUMNS])
@pytest.mark.parametrize("dtype", DTYPES)
def test_bias_gelu(columns, dtype, guard):
    x, bias = 3 * rows(3, columns, dtype=dtype), rows(columns, dtype=dtype, seed=1)
    out = run_bias_gelu(x, bias)
    guard.assert_margins_untouched()
    assert_as_exact_as(out, reference.bias_gelu(x, bias), reference.bias_gelu(*doubled(x, bias)))


def test_it_is_the_error_function_and_not_its_tanh_form():
    x = torch.linspace(-4, 4, 2048).view(2, 1024)
    nothing = torch.zeros(1024)
    tanh = torch.nn.functional.gelu(x.double(), approximate="tanh")
    exact = reference.gelu(x.double())
    assert (tanh - exact).abs().max() > 4e-4
    assert (run_bias_gelu(x, nothing).double() - exact).abs().max() < 1e-6


def test_far_from_zero_it_is_the_identity_or_nothing():
    x = torch.tensor([[-1e4, -40.0, 40.0, 1e4]])
    assert run_bias_gelu(x, torch.zeros(4)).tolist() == [[0.0, 0.0, 40.0, 1e4]]


def test_leading_dimensions_are_rows():
    x, bias = rows(2, 3, 384), rows(384, seed=1)
    assert torch.equal(run_bias_gelu(x, bias), run_bias_gelu(x.view(6, 384), bias).view(2, 3, 384))
    assert run_bias_gelu(rows(0, 384), bias).shape == (0, 384)


@pytest.mark.parametrize(
    ("columns", "shape"),
    [
        (4096, (1024, 4)),
        (3072, (1024, 4)),
        (1536, (512, 2)),
        (768, (256, 1)),
        (1000, (1024, 4)),
        (1100, (1024, 4)),
        (7, (8, 1)),
    ],
)
def test_a_block_fills_the_row_where_a_power_of_two_can(columns, shape):
    assert block_shape(columns) == shape
