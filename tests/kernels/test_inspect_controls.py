"""The inspection rejects what it has to reject, for the right reason, and passes what ships."""

from dataclasses import replace

import pytest

from kernels.activation import compilations as activations
from kernels.attention import compilations as attentions
from kernels.compilation import Compilation
from kernels.inspect import bars as bar_file
from kernels.inspect.pool import inspect
from kernels.product.compile import _compilation
from kernels.product.tiling import Tiling
from tests.kernels.rejects import bounded_gelu_kernel, masked_in_loop_kernel

BARS = bar_file.load()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))


def shipped(arch, layout="packed_qkv"):
    """The default tile of heads of 64, in bf16, as for sequences of any length."""
    wanted = {"layout": layout, "role": "default", "dtype": "bf16", "head_dim": 64, "with_lse": False}
    (found,) = [one for one in attentions(arch) if wanted.items() <= one.facts.items() and one.stages > 1]
    return found


def judged(compilation, arch):
    """The finding and the figures that fall short, by name."""
    finding = inspect(compilation, arch, BARS.chips[arch])
    assert not finding.problem
    return finding, {limit.figure for limit, _ in finding.short(BARS, BARS.triton)}


@pytest.mark.parametrize("arch", ["sm_80", "sm_90"])
def test_what_ships_passes(arch):
    finding, short = judged(shipped(arch), arch)
    assert short - {"compile_seconds"} == set()
    assert finding.figures["hmma" if arch == "sm_80" else "hgmma"] > 0


def test_a_mask_inside_the_loop_is_seen():
    names = ("qkv", "out", "cu_seqlens", "blocks", "qk_scale")
    masked = Compilation(
        name="masked",
        kernel="attention",
        fn=masked_in_loop_kernel,
        signature=dict(zip(names, ("*bf16", "*bf16", "*i32", "*i32", "fp32"), strict=True)),
        constexprs={"HEADS": 16, "HEAD_DIM": 64, "BLOCK_M": 64, "BLOCK_N": 64},
        warps=4,
        stages=3,
        facts=shipped("sm_80").facts,
    )
    finding, short = judged(masked, "sm_80")
    assert "float_selects" in short
    assert finding.figures["float_selects"] == 32
    assert "instructions_per_score" in short


def test_missing_hints_of_alignment_are_seen():
    finding, short = judged(replace(shipped("sm_80"), hints="none"), "sm_80")
    assert "async_copies" in short
    assert finding.figures["async_copies"] == 0


@pytest.mark.parametrize("arch", ["sm_80", "sm_90"])
def test_a_loop_that_waits_for_the_copies_it_has_just_issued_is_seen(arch):
    assert judged(shipped(arch), arch)[0].figures["copies_in_flight"] == 2
    one = shipped(arch)
    hasty = replace(one, name="hasty", stages=2)
    finding, _ = judged(hasty, arch)
    assert finding.figures["copies_in_flight"] == 0
    bar = next(
        bar
        for bar in BARS.bars
        if bar.applies({**finding.facts, "stages": 3}) and "copies_in_flight" in bar.at_least
    )
    assert bar.at_least["copies_in_flight"] == 2


@pytest.mark.parametrize("shape", [(3072, 768), (4096, 1024)], ids=str)
def test_a_product_of_few_rows_compiles_as_it_is_launched(shape):
    """XLM-R Base's rows are no power of two, of which Triton's blocks are made."""
    tiling = Tiling("few_rows", 64, 32, 128, 1, 4, 4)
    finding, short = judged(_compilation("sm_90", "gelu", shape, tiling), "sm_90")
    assert not short - {"compile_seconds"}
    assert finding.figures["spill_store_bytes"] == 0


def test_forced_registers_are_seen_to_spill():
    finding, short = judged(replace(shipped("sm_80"), options={"maxnreg": 128}), "sm_80")
    assert "spill_store_bytes" in short
    assert finding.figures["registers"] <= 128


def test_a_tile_too_small_for_the_tensor_cores_of_sm_90_is_seen():
    one = shipped("sm_90")
    small = replace(
        one,
        constexprs={**one.constexprs, "BLOCK_M": 32},
        warps=2,
        facts={**one.facts, "block_m": 32},
    )
    finding, short = judged(small, "sm_90")
    assert "hmma_anywhere" in short
    assert finding.figures["hmma"] == 64


def test_a_bound_of_unknown_divisibility_is_seen_to_narrow_the_loads():
    (one,) = [one for one in activations("sm_80") if one.facts == {"columns": 4096, "dtype": "bf16"}]
    assert judged(one, "sm_80")[1] - {"compile_seconds"} == set()
    bounded = replace(
        one,
        fn=bounded_gelu_kernel,
        signature={**one.signature, "total": "i32"},
        constexprs={name: one.constexprs[name] for name in ("COLUMNS", "BLOCK")},
        name="bounded",
    )
    finding, short = judged(bounded, "sm_80")
    assert {"global_loads_128bit", "global_loads_narrow"} <= short
    assert (finding.figures["global_loads_128bit"], finding.figures["global_loads_narrow"]) == (0, 16)
