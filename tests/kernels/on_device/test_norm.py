"""The LayerNorm kernels against float64, with unfused PyTorch as the baseline."""

import pytest
import torch

from kernels import reference
from kernels.norm import row_shape, run_embed_layer_norm, run_residual_layer_norm
from kernels.warps import lanes_of
from tests.kernels.on_device.rows import COLUMNS, DTYPES, assert_as_exact_as, doubled, rows

EPS = 1e-5


@pytest.mark.parametrize("with_bias", ["linear_bias", "none"])
@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_residual_layer_norm(columns, dtype, with_bias, guard):
    x, residual = rows(2, 5, columns, dtype=dtype)
    weight, bias, linear_bias = (rows(columns, dtype=dtype, seed=seed) for seed in (1, 2, 3))
    if with_bias == "none":
        linear_bias = None
    out = run_residual_layer_norm(x, residual, weight, bias, linear_bias=linear_bias, eps=EPS)
    guard.assert_margins_untouched()
    unfused = reference.residual_layer_norm(x, residual, weight, bias, linear_bias=linear_bias, eps=EPS)
    x, residual, weight, bias = doubled(x, residual, weight, bias)
    linear_bias = None if linear_bias is None else linear_bias.double()
    exact = reference.residual_layer_norm(x, residual, weight, bias, linear_bias=linear_bias, eps=EPS)
    assert_as_exact_as(out, unfused, exact)


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_embed_layer_norm(columns, dtype, guard):
    word, position = rows(12, columns, dtype=dtype), rows(9, columns, dtype=dtype, seed=1)
    type_row, weight, bias = (rows(columns, dtype=dtype, seed=seed) for seed in (2, 3, 4))
    ids, positions = torch.tensor([11, 0, 3, 3, 5]), torch.tensor([2, 3, 4, 8, 0])
    floats = (word, position, type_row, weight, bias)
    out = run_embed_layer_norm(ids, positions, *floats, eps=EPS)
    guard.assert_margins_untouched()
    unfused = reference.embed_layer_norm(ids, positions, *floats, eps=EPS)
    exact = reference.embed_layer_norm(ids, positions, *doubled(*floats), eps=EPS)
    assert_as_exact_as(out, unfused, exact)


def test_ids_of_32_bits_name_the_same_rows():
    word, type_row = rows(12, 64), rows(64, seed=1)
    ids = torch.tensor([11, 0, 3])
    out, again = (
        run_embed_layer_norm(x, x, word, word, type_row, type_row, type_row, eps=EPS)
        for x in (ids, ids.int())
    )
    assert torch.equal(out, again)


def test_a_row_far_from_zero_loses_no_digits():
    """Mean 1000, deviation 1: a variance from the mean of squares would be wrong in its first digits."""
    x, nothing, ones = rows(3, 768) + 1000, torch.zeros(3, 768), torch.ones(768)
    out = run_residual_layer_norm(x, nothing, ones, nothing[0], linear_bias=None, eps=EPS)
    exact = reference.residual_layer_norm(*doubled(x, nothing, ones, nothing[0]), eps=EPS)
    torch.testing.assert_close(out.double(), exact, rtol=0.0, atol=1e-3)


def test_a_row_does_not_see_its_neighbours():
    x, residual = rows(2, 4, 384)
    weight, bias = rows(384, seed=1), rows(384, seed=2)
    alone = run_residual_layer_norm(x[2:3], residual[2:3], weight, bias, linear_bias=None, eps=EPS)
    x = x.clone()
    x[[0, 1, 3]] = float("nan")
    out = run_residual_layer_norm(x, residual, weight, bias, linear_bias=None, eps=EPS)
    assert torch.equal(out[2], alone[0])
    assert out[[0, 1, 3]].isnan().all()


def test_no_rows_launch_nothing():
    empty, row = rows(0, 384), rows(384)
    out = run_residual_layer_norm(empty, empty, row, row, linear_bias=None, eps=EPS)
    assert out.shape == (0, 384)
    ids = torch.empty(0, dtype=torch.int64)
    table = rows(3, 384)
    assert run_embed_layer_norm(ids, ids, table, table, row, row, row, eps=EPS).shape == (0, 384)


@pytest.mark.parametrize(
    ("columns", "shape"),
    [(1, (1, 1)), (384, (512, 2)), (768, (1024, 4)), (1024, (1024, 4)), (8192, (8192, 16))],
)
def test_a_thread_takes_eight_values(columns, shape):
    assert row_shape(columns, lanes_of("sm_90")) == shape


def test_wavefronts_of_64_are_half_as_many():
    assert row_shape(1024, lanes_of("gfx942")) == (1024, 2)
