"""Bars judge figures, nothing escapes them by not being there, and reports can be compared."""

import itertools
import shutil

import pytest

from kernels.compilation import Compilation
from kernels.inspect import bars as bar_file, compare, table
from kernels.inspect.bars import Bar, Bars
from kernels.inspect.compile import derived
from kernels.inspect.report import Finding, Report, read

BARS = Bars(
    chips={},
    bars=(
        Bar(name="all", where={"vendor": "nvidia"}, at_most={"spills": 0}),
        Bar(
            name="tile",
            where={"arch": "sm_80"},
            tile={"block_m": 64},
            cover={"dtype": ["bf16", "fp16"]},
            at_least={"speed": 100},
            at_most={"registers": 168},
            exactly={"hmma": 64},
        ),
    ),
    triton="3.7.1",
    slack_share=0.05,
    slack_figures=("speed",),
)
GOOD = {"spills": 0, "speed": 100, "registers": 168, "hmma": 64}


def finding(dtype="bf16", *, block_m=64, arch="sm_80", **figures):
    facts = {"arch": arch, "vendor": "nvidia", "kernel": "attention", "block_m": block_m, "dtype": dtype}
    return Finding(name=f"a-{dtype}", facts=facts, figures=GOOD | figures)


def complaints(*findings, triton="3.7.1"):
    return Report(triton=triton, findings=findings).complaints(BARS)


def test_what_meets_its_bars_raises_no_complaint():
    assert complaints(finding(), finding("fp16")) == []


@pytest.mark.parametrize(
    ("figure", "value", "said"),
    [
        ("registers", 169, "sm_80 a-bf16: registers is 169, bar tile asks <= 168"),
        ("speed", 99.5, "sm_80 a-bf16: speed is 99.5, bar tile asks >= 100"),
        ("hmma", 65, "sm_80 a-bf16: hmma is 65, bar tile asks = 64"),
        ("spills", 4, "sm_80 a-bf16: spills is 4, bar all asks <= 0"),
    ],
)
def test_a_complaint_names_configuration_figure_and_bar(figure, value, said):
    assert complaints(finding(**{figure: value}), finding("fp16")) == [said]


def test_bars_are_only_for_what_they_name():
    assert complaints(finding(registers=255, block_m=128), finding(), finding("fp16")) == []


def test_a_figure_that_could_not_be_taken_falls_short():
    one = finding()
    figures = {name: value for name, value in one.figures.items() if name != "hmma"}
    bare = Finding(name=one.name, facts=one.facts, figures=figures)
    assert complaints(bare, finding("fp16")) == ["sm_80 a-bf16: hmma is not there, bar tile asks = 64"]


def test_what_does_not_compile_falls_short():
    broken = Finding(name="a", facts=finding().facts, problem="ValueError: no")
    assert "sm_80 a: does not compile: ValueError: no" in complaints(broken)


def test_leaving_a_configuration_out_does_not_pass():
    assert complaints(finding()) == ["bar tile is for what was not compiled: arch=sm_80 dtype=fp16"]
    assert complaints(finding(block_m=128)) == ["bar tile is for what was not compiled: anything"]
    assert complaints(finding(arch="sm_90")) == []


def test_another_triton_may_be_a_little_slower_but_takes_no_more_registers():
    one = finding(speed=96)
    assert complaints(one, finding("fp16"), triton="3.8.0") == []
    assert complaints(one, finding("fp16"))
    assert complaints(finding(registers=169), finding("fp16"), triton="3.8.0")


def test_the_file_asks_something_of_every_tile_it_names():
    found = bar_file.load()
    assert {"sm_80", "sm_90", "gfx942"} <= found.chips.keys()
    tiles = [bar for bar in found.bars if "block_m" in bar.tile]
    conditions = [str(bar.conditions) for bar in tiles]
    assert len(tiles) == 13
    assert len(set(conditions)) == len(conditions)
    for bar, dtype in itertools.product(tiles, ("bf16", "fp16")):
        assert dtype in bar.cover["dtype"]


@pytest.mark.parametrize(
    ("line", "said"), [("at_mots = { a = 1 }", "unknown at_mots"), ("where = {}", "asks nothing")]
)
def test_a_misspelt_file_is_refused(tmp_path, line, said):
    path = tmp_path / "bars.toml"
    path.write_text(f'[measured]\n[slack]\n[chip.x]\n[[bar]]\nname = "a"\n{line}\n')
    with pytest.raises(ValueError, match=said):
        bar_file.load(path)


def test_programs_a_multiprocessor_and_the_estimate_follow_from_counts():
    chips = bar_file.load().chips
    one = Compilation(
        name="a", kernel="attention", fn=None, signature={}, constexprs={}, warps=4, stages=3,
        facts={"block_m": 64, "block_n": 64, "head_dim": 64, "dtype": "bf16"},
    )  # fmt: skip
    counted = {"registers": 162, "shared_bytes": 32768, "instructions": 342, "mufu": 34}
    figures = derived(counted, one, chips["sm_80"])
    assert figures["ctas_per_sm"] == 3
    assert figures["instructions_per_score"] == pytest.approx(10.6875)
    # 2^20 flop in 512 + 342 clocks on 108 multiprocessors at 1.41 GHz
    assert figures["estimate_tflops"] == pytest.approx(186.98, abs=0.01)
    assert figures["ceiling_share"] == pytest.approx(186.98 / 208, abs=0.001)
    assert derived(counted | {"registers": 169}, one, chips["sm_80"])["ctas_per_sm"] == 2
    assert derived(counted | {"shared_bytes": 60000}, one, chips["sm_80"])["ctas_per_sm"] == 2
    assert "estimate_tflops" not in derived(counted, one, chips["sm_86"])


def test_a_report_survives_its_file_and_differences_are_named(tmp_path):
    before = Report(triton="3.7.1", findings=[finding(compile_seconds=1.0), finding("fp16")])
    path = tmp_path / "report.json"
    before.write(path)
    assert read(path).findings == before.findings
    now = Report(
        triton="3.8.0", findings=[finding(registers=84, compile_seconds=2.0), finding("fp16", arch="sm_90")]
    )
    assert compare.differences(compare.earlier(str(path), ["sm_80"]), now) == [
        "triton: 3.7.1 -> 3.8.0",
        "sm_80 a-fp16: gone",
        "sm_80 a-bf16: registers 168 -> 84 (-50.0%)",
        "sm_90 a-fp16: new",
    ]
    assert compare.differences(now, now) == []


def test_what_is_neither_report_nor_commit_is_refused(tmp_path):
    path = tmp_path / "other.json"
    path.write_text("{}")
    with pytest.raises(ValueError, match="not written by"):
        compare.earlier(str(path), ["sm_80"])


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_an_unknown_commit_is_refused():
    with pytest.raises(ValueError, match="neither a file nor a commit"):
        compare.earlier("no-such-branch", ["sm_80"])


def test_the_table_marks_what_falls_short():
    report = Report(triton="3.7.1", findings=[finding(registers=170), finding("fp16")])
    text = table.render(report, BARS, width=200)
    assert "a-bf16 !" in text
    assert "170 <=168" in text
    assert "a-fp16 !" not in text
