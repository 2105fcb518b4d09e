"""`python -m kernels.inspect`: its exit codes, and what it says."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kernels.activation import compilations
from kernels.inspect import bars as bar_file, configurations as listing
from kernels.inspect.__main__ import main
from kernels.inspect.pool import compile_all

ROOT = Path(__file__).parents[2]


@pytest.fixture
def gelu(tmp_path, monkeypatch):
    """One configuration and one bar: of all that there are, what compiles fastest."""
    one = next(iter(compilations("sm_80")))
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(listing, "configurations", lambda arch, dtypes: [one])
    bars = bar_file.load()
    monkeypatch.setattr(
        bar_file, "load", lambda: replace(bars, bars=tuple(bar for bar in bars.bars if bar.name == "nvidia"))
    )
    return one


def test_all_well(gelu, tmp_path, capsys):
    report = tmp_path / "report.json"
    assert main(["--arch", "sm_80", "--output", str(report)]) == 0
    assert "1 configurations" in capsys.readouterr().out
    assert main(["--arch", "sm_80", "--against", str(report)]) == 0
    assert "nothing differs" in capsys.readouterr().out


def test_a_figure_short_of_its_bar_is_named(gelu, monkeypatch, capsys):
    bars = bar_file.load()
    strict = replace(bars.bars[0], name="strict", at_most={"registers": 8})
    monkeypatch.setattr(bar_file, "load", lambda: replace(bars, bars=(strict,)))
    assert main(["--arch", "sm_80"]) == 1
    said = capsys.readouterr()
    assert f"sm_80 {gelu.name}: registers is 32, bar strict asks <= 8" in said.err
    assert "1 short of their bars" in said.out


def test_what_does_not_compile_is_named_and_the_rest_goes_on(gelu):
    broken = replace(gelu, name="broken", signature={**gelu.signature, "x": "*fp99"})
    chips = bar_file.load().chips
    found = dict(compile_all([("sm_80", broken), ("sm_80", gelu)], chips))
    assert found[0].problem
    assert not found[1].problem
    assert found[1].figures["registers"] > 0


@pytest.mark.parametrize(
    ("arguments", "flag", "said"),
    [
        ([], "1", "TRITON_INTERPRET is set"),
        (["--arch", "volta"], "0", "no such architecture"),
        (["--output", "no/such/folder/a.json"], "", "no such folder"),
    ],
)
def test_a_wrong_request_is_one_line(arguments, flag, said, monkeypatch, capsys):
    monkeypatch.setenv("TRITON_INTERPRET", flag)
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_every_module_that_lists_kernels_is_found():
    assert {"kernels.activation", "kernels.attention.compile", "kernels.norm"} <= set(listing.modules())


def test_help_loads_nothing_heavy():
    code = (
        "import sys, kernels.inspect.__main__ as command\n"
        "try: command.main(['--help'])\n"
        "except SystemExit: print(*[name for name in ('torch', 'triton', 'rich') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""
