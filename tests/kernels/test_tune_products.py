"""The tuner of products without a GPU: candidates, what it chooses from made-up timings, what it writes."""

import tomllib

import pytest
import torch

from kernels.bench.case import Call
from kernels.product import tiling as tilings
from kernels.product.tiling import PRODUCTS, Tiling, read, rows, tiling_for
from kernels.tune import products
from kernels.tune.products import ENCODERS, Product, candidates, choose, measure, rewrite

FEW = Tiling("few_rows", 64, 32, 128, 4, 4, 4)
MANY = Tiling("many_rows", 128, 256, 64, 1, 8, 3)
UP = Product("gelu", (4096, 1024))


@pytest.mark.parametrize("product", ENCODERS, ids=lambda product: product.name)
@pytest.mark.parametrize("tokens", products.TOKENS)
def test_candidates_divide_the_shape_and_fit_into_shared_memory(product, tokens):
    found = list(candidates(product, tokens))
    assert found
    for one in found:
        assert one.fits(product.shape)
        assert (one.block_m + one.block_n) * one.block_k * 2 * one.stages <= 227 * 1024
        assert one.split == 1 or (product.epilogue == "norm" and one.kind == "few_rows")


def test_the_fastest_of_each_number_of_tokens_is_taken_and_noise_moves_nothing():
    measured = {
        64: {None: 9.0, FEW: 6.0, MANY: 7.0},
        128: {None: 9.0, FEW: 6.5},
        256: {None: 9.0, MANY: 8.95},
        512: {None: 20.0, MANY: 15.0},
        4096: {None: 90.0, MANY: 60.0},
    }
    assert choose(measured) == [(128, FEW), (256, None), (0, MANY)]


def test_what_is_written_is_read_back_and_other_architectures_stay(monkeypatch, tmp_path):
    about = "# About.\n"
    first = rewrite(about, "sm_80", {UP: [(0, MANY)]}, "an A100")
    text = rewrite(first, "sm_90", {UP: [(128, FEW), (512, None), (0, MANY)]}, "an H100")
    assert rewrite(text, "sm_90", {UP: [(128, FEW), (512, None), (0, MANY)]}, "an H100") == text
    assert text.startswith(about)
    assert "# timed, sm_80: an A100" in text
    assert tomllib.loads(text)["sm_80"]["gelu"]["4096x1024"]["rows"] == [
        [0, "many_rows", 128, 256, 64, 1, 8, 3]
    ]
    path = tmp_path / "products.toml"
    path.write_text(text)
    monkeypatch.setattr(tilings, "PRODUCTS", path)
    read.cache_clear()
    rows.cache_clear()
    try:
        taken = {
            tokens: tiling_for("sm_90", "gelu", UP.shape, tokens) for tokens in (1, 128, 129, 512, 513, 9999)
        }
        assert taken == {1: FEW, 128: FEW, 129: None, 512: None, 513: MANY, 9999: MANY}
        assert tiling_for("sm_90", "bias", UP.shape, 1) is None
        assert tiling_for("sm_75", "gelu", UP.shape, 1) is None
    finally:
        read.cache_clear()
        rows.cache_clear()


def test_every_row_of_the_shipped_table_can_cut_its_shape():
    for arch, epilogues in tomllib.loads(PRODUCTS.read_text()).items():
        for epilogue, shapes in epilogues.items():
            for name in shapes:
                N, K = map(int, name.split("x"))
                for most, tiling in rows(arch, epilogue, (N, K)):
                    assert most >= 0
                    assert tiling is None or tiling.fits((N, K))


class Watch:
    """Counts calls instead of timing them."""

    def prepare(self, call: Call):
        call.run()
        return self

    def cold(self, calls: int) -> list[float]:
        return [24.0] * calls


def test_a_candidate_that_cannot_run_is_left_out_aloud(capsys):
    out = measure(Product("gelu", (64, 96)), 8, Watch(), device="cpu", dtype=torch.float32, tried=[FEW])
    assert set(out) == {None}
    assert "64x96, 8 tokens: few_rows 64x32x128/4 w4 s4 is left out: " in capsys.readouterr().err
