"""The tuner without a GPU: what it chooses from made-up timings, and what it writes."""

import itertools
import subprocess
import sys
import tomllib
from dataclasses import astuple
from pathlib import Path

import pytest
import torch

from kernels import tiles
from kernels.bench.attention import by_sequence
from kernels.bench.workloads import dense
from kernels.tiles import Tile
from kernels.tune import __main__ as command
from kernels.tune.choice import Section, choose, sections
from kernels.tune.measuring import LARGE_LOADS, LOADS, bits, timings
from kernels.tune.rewriting import MARK, rewrite

ROOT = Path(__file__).parents[2]
SMALL, SMALL_8, LARGE, LARGE_4 = (
    Tile(64, 64, 4, 2),
    Tile(64, 64, 8, 2),
    Tile(128, 64, 8, 2),
    Tile(128, 64, 4, 2),
)
SECTION = Section(layout="packed_qkv", size="d64", default=SMALL, large=LARGE, alternative=(LARGE_4, SMALL_8))
TABLE = """\
# About the table.
#   default   64 queries

[sm_80.packed_qkv.d64]
default = [64, 64, 4, 3]
large = [128, 64, 4, 2]

# Why the next is so.
[sm_90.packed_qkv.d64]
default = [64, 64, 4, 2]   # said beside
large = [128, 64, 8, 2]
alternative = [[128, 64, 4, 2], [64, 64, 8, 2]]

# About the last.
[sm_90.strided.d64]
default = [64, 64, 4, 2]
large = [128, 64, 8, 2]
"""


def times(**tiles):
    """Two workloads, `a` and the one that `large` is for."""
    known = {"small": SMALL, "small_8": SMALL_8, "large": LARGE, "large_4": LARGE_4}
    return {known[name]: dict(zip("ab", pair, strict=True)) for name, pair in tiles.items()}


def chosen(timings):
    best = choose(SECTION, timings, large_loads=["b"])
    return best.default, best.large, best.alternative


def test_the_fastest_of_each_block_size_wins():
    found = times(small=(2, 2), small_8=(1, 3), large=(1, 9), large_4=(9, 8))
    # 64 rows by the geometric mean of both, 128 rows by b alone; other sizes' times count for nothing.
    assert chosen(found) == (SMALL_8, LARGE_4, (SMALL, LARGE))


def test_noise_moves_nothing():
    found = times(small=(1, 1), small_8=(0.995, 0.995), large=(1, 1), large_4=(1, 0.992))
    assert chosen(found) == (SMALL, LARGE, (LARGE_4, SMALL_8))


def test_a_wrong_tile_is_replaced_whatever_the_time():
    assert chosen(times(small=(1, 1), large_4=(50, 50))) == (SMALL, LARGE_4, (LARGE, SMALL_8))


def test_without_a_right_tile_there_is_no_choice():
    with pytest.raises(ValueError, match="128x64-w8-s2 is wrong too"):
        chosen(times(small=(1, 1), small_8=(1, 1)))


def test_keys_at_a_time_are_never_traded():
    other = Section(
        layout="strided", size="d128-fp32", default=Tile(64, 32, 4, 2), large=LARGE, alternative=(SMALL,)
    )
    found = {other.default: {"b": 9.0}, SMALL: {"b": 1.0}, LARGE: {"b": 1.0}}
    assert choose(other, found, large_loads=["b"]).default == other.default
    assert (other.head_dim, other.dtype, SECTION.head_dim, SECTION.dtype) == (128, "float32", 64, "bfloat16")


def test_rewriting_changes_one_section_only():
    new = Section(layout="packed_qkv", size="d64", default=SMALL_8, large=LARGE_4, alternative=(SMALL, LARGE))
    out = rewrite(TABLE, "sm_90", [new], {("packed_qkv", "d64"): "a GPU\nequal bits"})
    before, after = TABLE.split("[sm_90.packed_qkv.d64]")[0], TABLE[TABLE.index("# About the last.") :]
    assert out.startswith(before)
    assert out.endswith(after)
    assert out[len(before) : -len(after)] == (
        f"{MARK}a GPU\n{MARK}equal bits\n[sm_90.packed_qkv.d64]\n"
        "default = [64, 64, 8, 2]\nlarge = [128, 64, 4, 2]\n"
        "alternative = [[64, 64, 4, 2], [128, 64, 8, 2]]\n\n"
    )


def test_rewriting_twice_says_it_once():
    new, key = sections(tomllib.loads(TABLE)["sm_90"])[0], ("packed_qkv", "d64")
    once = rewrite(TABLE, "sm_90", [new], {key: "first\nday"})
    twice = rewrite(once, "sm_90", [new], {key: "second day"})
    assert twice.count(MARK) == 1
    assert "first" not in twice
    assert "# Why the next is so.\n# tuned: second day\n[sm_90.packed_qkv.d64]" in twice
    assert tomllib.loads(twice) == tomllib.loads(TABLE)


def test_an_architecture_without_sections_gets_them_at_the_end():
    out = rewrite(TABLE, "sm_103", [SECTION], {("packed_qkv", "d64"): "new"})
    assert out.startswith(TABLE)
    assert tomllib.loads(out)["sm_103"]["packed_qkv"]["d64"]["default"] == list(astuple(SMALL))
    assert tomllib.loads(out).keys() == {"sm_80", "sm_90", "sm_103"}


def test_a_table_laid_out_otherwise_is_refused():
    nested = "[sm_90.packed_qkv]\nd64 = { default = [64, 64, 4, 2], large = [128, 64, 8, 2] }\n"
    with pytest.raises(ValueError, match=r"one \[arch.layout.size\] each"):
        rewrite(nested, "sm_90", [SECTION], {})


@pytest.mark.parametrize("arch", sorted(tiles.read()))
def test_the_shipped_table_can_be_rewritten(arch):
    text = tiles.CONFIGS.read_text()
    found = sections(tiles.read()[arch])
    out = rewrite(text, arch, found, {(found[0].layout, found[0].size): "x"})
    assert tomllib.loads(out) == tomllib.loads(text)
    assert [line for line in out.splitlines() if line not in text.splitlines()] == [f"{MARK}x"]


class Ticking:
    """A stopwatch that takes its microseconds from a list, one value a preparation."""

    chip, launch, reason = None, "graph", ""

    def __init__(self, values=()):
        self.values = itertools.chain(values, itertools.repeat(1.0))

    def synchronise(self):
        pass

    def prepare(self, call):
        call.run()
        self.value = next(self.values)
        return self

    def cold(self, calls):
        return [self.value] * calls

    warm = cold

    def release(self):
        pass


def attend(qkv, load):
    return by_sequence(qkv, load.lengths, qkv.dtype)


def queries(qkv, load):
    return qkv[:, 0]


def launching(errors, compute=queries):
    """What is computed instead of attention; a tile's error is added to it, or raised."""

    def launch(section, tile, qkv, load):
        error = errors.get(tile, 0.0)
        if isinstance(error, Exception):
            raise error
        return lambda: compute(qkv, load) + error

    return launch


def test_only_right_tiles_are_timed():
    errors = {LARGE: 0.5, SMALL_8: float("nan"), LARGE_4: RuntimeError("out of resource")}
    launch = launching(errors, attend)
    loads = [dense(1, 16), dense(2, 8)]
    found, refused = timings(SECTION, Ticking([3.0, 4.0]), loads=loads, device="cpu", launch=launch)
    assert found == {SMALL: {"1x16": 3.0, "2x8": 4.0}}
    assert refused[LARGE_4] == "RuntimeError: out of resource"
    assert refused[LARGE].startswith("differs by")
    assert refused[SMALL_8] == "differs by nan, " + refused[LARGE].partition(", ")[2]
    text = command.table(SECTION, found, refused)
    assert "64x64-w4-s2    3.0  4.0" in text
    assert "RuntimeError: out of resource" in text


def test_bits_are_compared_across_rows_and_warps():
    assert bits(SECTION, device="cpu", launch=launching({})) == (
        "64 and 128 queries give equal bits; 4 and 8 warps give equal bits"
    )
    assert bits(SECTION, device="cpu", launch=launching({SMALL_8: 1e-2})) == (
        "64 and 128 queries give equal bits; 4 and 8 warps give different bits"
    )
    assert bits(SECTION, device="cpu", launch=launching({LARGE: 1e-2})).startswith(
        "64 and 128 queries give different bits"
    )
    assert "4 and 8 warps could not be compared (OSError)" in bits(
        SECTION, device="cpu", launch=launching({LARGE_4: OSError()})
    )


def test_the_loads_of_large_are_among_those_timed():
    assert set(LARGE_LOADS) < {load.name for load in LOADS}


def measured(section):
    """Alternatives take half the time."""
    return {
        tile: {load.name: 1.0 if tile in section.alternative else 2.0 for load in LOADS}
        for tile in section.candidates
    }, {}


def everything(d64):
    return sorted([d64["default"], d64["large"], *d64["alternative"]])


def test_tuning_writes_the_faster_tiles_of_this_architecture(tmp_path, capsys):
    path = tmp_path / "new.toml"
    assert command.tune(path, "sm_90", "a GPU", measure=measured, compare=lambda section: "equal") == 0
    old, new = tiles.read(), tomllib.loads(path.read_text())
    assert {arch: new[arch] for arch in old if arch != "sm_90"} == {
        arch: old[arch] for arch in old if arch != "sm_90"
    }
    d64, was = new["sm_90"]["packed_qkv"]["d64"], old["sm_90"]["packed_qkv"]["d64"]
    assert d64["large"] in was["alternative"]
    assert everything(d64) == everything(was)
    assert path.read_text().count(f"{MARK}a GPU\n{MARK}equal\n") == len(sections(old["sm_90"]))
    assert [entry.name for entry in tmp_path.iterdir()] == ["new.toml"]
    assert f"sections of sm_90 written to {path}" in capsys.readouterr().out


def test_a_section_without_a_right_tile_stays(tmp_path, capsys):
    path = tmp_path / "new.toml"
    nothing = {Tile(64, 64, 4, 2): "does not compile"}
    assert (
        command.tune(path, "sm_90", "x", measure=lambda section: ({}, nothing), compare=lambda section: "")
        == 1
    )
    assert path.read_text() == tiles.CONFIGS.read_text()
    assert "packed_qkv d64 stays: no tile of 64x64 is right" in capsys.readouterr().err


def test_a_stamp_names_machine_and_versions():
    machine = {"gpu": "G", "versions": {"torch": "2", "triton": "3"}, "before": {"driver_version": "575"}}
    assert command.stamp(machine).startswith("G, driver 575, torch 2, triton 3, 20")
    assert "driver unknown" in command.stamp(machine | {"before": {"error": "no nvidia-smi"}})


def test_without_a_gpu_one_line_and_exit_2(tmp_path):
    code = [sys.executable, "-m", "kernels.tune", "attention", "--output", str(tmp_path / "x.toml")]
    environment = {"PATH": "/usr/bin:/bin", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(code, cwd=ROOT, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert f"needs a CUDA device, and torch {torch.__version__} sees none" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_missing_is_said_before_the_work(tmp_path, capsys):
    assert command.main(["products", "--output", str(tmp_path / "no" / "x.toml")]) == 2
    assert "no folder" in capsys.readouterr().err


def test_the_command_line_is_these_flags():
    flags = {flag for action in command.parser()._actions for flag in action.option_strings}
    assert flags == {"-h", "--help", "--output"}


def test_a_file_for_both_tables_is_refused(tmp_path, capsys):
    assert command.main(["--output", str(tmp_path / "x.toml")]) == 2
    assert "one table" in capsys.readouterr().err
