"""The table of tiles: complete, and found by what a device is."""

import logging
from itertools import product

import pytest

from kernels import tiles
from kernels.tiles import entries, read, tile_for

COMBINATIONS = list(product(("packed_qkv", "strided"), (32, 64, 128), ("bf16", "fp16", "fp32")))


@pytest.mark.parametrize("arch", read())
@pytest.mark.parametrize(("layout", "head_dim", "dtype"), COMBINATIONS, ids=str)
def test_every_architecture_has_both_roles_of_everything(arch, layout, head_dim, dtype):
    small = tile_for(arch, layout, head_dim=head_dim, dtype=dtype)
    large = tile_for(arch, layout, "large", head_dim=head_dim, dtype=dtype)
    assert (small.block_m, large.block_m) == (64, 128)
    # The order of a row's sum must not depend on the role.
    assert small.block_n == large.block_n
    if dtype != "fp32":
        assert small.block_n == 64


@pytest.fixture
def forgetful():
    tiles.known_architecture.cache_clear()
    yield
    tiles.known_architecture.cache_clear()


@pytest.mark.parametrize(
    ("arch", "older"), [("sm_87", "sm_86"), ("sm_103", "sm_100"), ("sm_121", "sm_120"), ("gfx950", "gfx942")]
)
def test_an_unknown_architecture_takes_the_next_older_ones_aloud(arch, older, caplog, forgetful):
    with caplog.at_level(logging.WARNING, logger="kernels"):
        for _ in range(2):
            assert tiles.known_architecture(arch) == older
    assert [record.getMessage() for record in caplog.records] == [
        f"no tiles for {arch} in configs.toml: those of {older} are taken"
    ]


@pytest.mark.parametrize("arch", ["sm_75", "gfx90a"])
def test_an_older_one_than_all_is_refused(arch):
    with pytest.raises(ValueError, match=f"no tiles for {arch} or an older one"):
        tile_for(arch, "packed_qkv")


def test_an_unknown_head_size_is_refused():
    with pytest.raises(ValueError, match="head size 48"):
        tile_for("sm_80", "packed_qkv", head_dim=48)


def test_fp32_has_tiles_of_its_own_where_the_table_says_so():
    assert tile_for("sm_80", "packed_qkv", head_dim=128, dtype="bf16").block_n == 64
    assert tile_for("sm_80", "packed_qkv", head_dim=128, dtype="fp32").block_n == 32
    fp32 = [entry for entry in entries("sm_80") if entry.head_dim == 128 and entry.dtype == "fp32"]
    assert [(entry.layout, entry.role) for entry in fp32] == [
        (layout, role) for layout in ("packed_qkv", "strided") for role in ("default", "large")
    ]
