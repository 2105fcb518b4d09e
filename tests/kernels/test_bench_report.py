"""The bench's output and its command line."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from kernels.bench import __main__ as command, machine
from kernels.bench.case import Call, Case
from kernels.bench.goals import Goal
from kernels.bench.report import Grid, Report, note, plain, show, tables
from kernels.bench.result import Row, Times
from kernels.bench.roofline import Operation
from kernels.bench.workloads import dense

ROOT = Path(__file__).parents[2]
FIELDS = {
    *("family", "kernel", "variant", "workload", "batch", "longest", "tokens", "padding", "dtype", "status"),
    *("reason", "launch", "difference", "tolerance", "first_call_seconds", "warm_up_seconds", "cold", "warm"),
    *("flop", "bytes", "roof_us", "fallbacks", "tflops", "gigabytes", "roof_share"),
}


def row(variant="varlen_attention_qkv", **fields):
    values = {
        "family": "attention",
        "kernel": "attention",
        "workload": "8x64",
        "batch": 8,
        "longest": 64,
        "tokens": 512,
        "padding": 0.0,
        "dtype": "bfloat16",
        "status": "ok",
        "launch": "graph",
        "difference": 1e-3,
        "tolerance": 2e-3,
        "first_call_seconds": 1.25,
        "cold": Times.of([10.0, 20.0, 30.0]),
        "warm": Times.of([5.0]),
        "flop": 2e8,
        "bytes": 4e6,
        "roof_us": 4.0,
    }
    return Row(variant=variant, **(values | fields))


def report(*rows, **fields):
    values = {"machine": {"gpu": "none"}, "extent": "quick", "created": "2026-01-01T00:00:00+00:00"}
    return Report(rows=list(rows), **(values | fields))


def test_the_file_holds_every_figure_and_the_raw_times(tmp_path):
    path = tmp_path / "bench.json"
    wrong = row("torch flex", status="wrong", reason="differs", difference=float("inf"), cold=None, warm=None)
    report(row(), wrong, fallbacks=["too old"]).write(path)
    written = json.loads(path.read_text())
    assert set(written) == {
        *("schema", "machine", "extent", "created", "tiles", "overhead_us", "fallbacks", "rows"),
        "goals",
    }
    good, bad = written["rows"]
    assert set(good) == set(bad) == FIELDS
    assert good["cold"] == {"p50": 20.0, "p90": 28.0, "p99": 29.8, "samples": [10.0, 20.0, 30.0]}
    assert good["tflops"] == pytest.approx(10.0)
    assert good["gigabytes"] == pytest.approx(200.0)
    assert good["roof_share"] == pytest.approx(0.2)
    assert (bad["cold"], bad["tflops"], bad["difference"]) == (None, None, None)
    assert [path.name for path in tmp_path.iterdir()] == ["bench.json"]


def test_the_tables_compare_with_ours():
    grid, goals = tables(
        report(
            row(),
            row("torch varlen", cold=Times.of([30.0])),
            row(workload="8x512", longest=512, roof_us=None),
            goals=[Goal(what="a", target=">= 1", measured="2", verdict="met")],
        )
    )
    ours, peer, long = (dict(zip(grid.columns, cells, strict=True)) for cells in grid.rows)
    assert (ours["BxS"], peer["BxS"], long["BxS"]) == ("8x64", "", "8x512")
    assert (ours["cold p50 us"], ours["warm p50 us"], ours["TFLOP/s"]) == ("20.0", "5.00", "10.0")
    assert (ours["x ours"], peer["x ours"]) == ("1.00", "1.50")
    assert (ours["GB/s"], long["GB/s"]) == ("200", "")
    assert (ours["roof"], long["roof"]) == ("20%", "")
    assert goals.rows == (("a", ">= 1", "2", "met"),)


def test_a_note_says_what_is_not_as_asked():
    assert note(row()) == ""
    assert note(row(launch="eager", reason="no graph: sync")) == "launched, no graph: sync"
    assert note(row(status="wrong", launch=None, reason="differs", fallbacks=("old", "slow"))) == (
        "wrong, differs, fell back: old; slow"
    )


def test_plain_text_is_aligned_and_drops_empty_columns():
    grid = Grid(
        title="t", columns=("name", "us", "none", "note"), rows=(("a", "1", "", "x"), ("bb", "22", "", ""))
    )
    assert plain(grid) == "t\nname  us  note\n--------------\na      1  x\nbb    22\n"


def test_what_surrounds_the_tables_is_printed():
    stream = io.StringIO()
    show(report(row(), overhead_us=2.5, fallbacks=["too old"]), stream)
    text = stream.getvalue()
    assert "takes 2.5 us cold" in text
    assert "Fell back: too old" in text


@pytest.mark.parametrize(("columns", "frame"), [(200, True), (60, False)], ids=["wide", "narrow"])
def test_a_terminal_gets_the_same_figures(monkeypatch, columns, frame):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("COLUMNS", str(columns))
    stream = Terminal()
    show(report(row(), goals=[Goal(what="a", target="b", measured="", verdict="not met")]), stream)
    assert any("varlen_attention_qkv" in line and "20.0" in line for line in stream.getvalue().splitlines())
    assert ("\u2500" * 60 in stream.getvalue()) == frame
    assert "not met" in stream.getvalue()


def test_nvidia_smi_is_understood():
    line = "NVIDIA H100, 575.57, 1980 MHz, 2619 MHz, 1980 MHz, 700.00 W, 98.2 W, 31, Enabled, 0x{:016x}\n"
    state = machine.parse(line.format(0x44))
    assert state["clocks.sm"] == "1980 MHz"
    assert machine.slowed(state) == ["software power cap", "hardware thermal slowdown"]
    assert machine.slowed(machine.parse(line.format(1))) == []
    assert machine.slowed({"error": "nvidia-smi: not found"}) == []


def test_the_tiles_of_an_architecture_are_recorded():
    tiles = machine.chosen_tiles("sm_90")
    assert set(tiles) == {
        f"{layout}/{role}" for layout in ("packed_qkv", "strided") for role in ("default", "large")
    }
    assert set(tiles["strided/large"]) == {"block_m", "block_n", "warps", "stages"}
    assert tiles["strided/large"]["block_m"] == 128


class Watch:
    """Says a microsecond for every call."""

    chip, launch, reason = None, "graph", ""

    def synchronise(self):
        pass

    def prepare(self, call):
        return self

    def cold(self, calls):
        return [1.0] * calls

    warm = cold

    def release(self):
        pass

    def overhead(self):
        return 2.0


@pytest.mark.parametrize(("variant", "code"), [("varlen_attention", 1), ("torch eager", 0)])
def test_a_run_reports_all_families_and_fails_if_one_of_ours_is_wrong(
    monkeypatch, tmp_path, capsys, variant, code
):
    def makers(family, extent):
        def make(name, value):
            return Case(
                family=family,
                kernel=family,
                workload=dense(1, 64),
                dtype="float32",
                work=Operation(name="x", flop=1.0),
                reference=lambda: torch.ones(2),
                baseline=lambda: torch.ones(2),
                variants={name: lambda: Call(run=lambda: torch.full((2,), value))},
            )

        yield lambda: make("torch sdpa", 1.0)
        yield lambda: make(variant, 2.0 if family == "rows" else 1.0)

    slow = {"clocks_event_reasons.active": "0x4"}
    monkeypatch.setattr("kernels.bench.timing.GpuStopwatch", Watch)
    monkeypatch.setattr(machine, "describe", lambda: {"gpu": "G"})
    monkeypatch.setattr(machine, "snapshot", lambda: slow)
    monkeypatch.setattr(machine, "architecture", lambda: "sm_75")
    monkeypatch.setattr(command, "_makers", makers)
    path = tmp_path / "bench.json"
    assert command.bench(["rows", "attention"], "quick", path) == code
    written = json.loads(path.read_text())
    assert [row["status"] for row in written["rows"]] == ["ok", "wrong", "ok", "ok"]
    assert (written["machine"], written["tiles"]) == ({"gpu": "G", "chip": None, "after": slow}, {})
    assert written["goals"][0]["verdict"] == "not measured"
    said = capsys.readouterr()
    assert "rows 2/2: rows 1x64" in said.err
    assert "rows: the clock was held back by software power cap" in said.err
    assert "G: its limits are not known here" in said.err
    assert "An all but empty graph takes 2.0 us cold" in said.out


def test_without_a_gpu_one_line_and_exit_2():
    code = [sys.executable, "-m", "kernels.bench", "--quick"]
    environment = {"PATH": "/usr/bin:/bin", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(code, cwd=ROOT, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert "needs a CUDA device" in done.stderr


def test_a_folder_that_is_missing_is_said_before_the_work(tmp_path, capsys):
    assert command.main(["--output", str(tmp_path / "no" / "bench.json")]) == 2
    assert "no folder" in capsys.readouterr().err


def test_an_unknown_family_is_refused():
    with pytest.raises(SystemExit) as stopped:
        command.main(["--only", "attention", "nothing"])
    assert stopped.value.code == 2


def test_the_command_line_is_these_flags():
    flags = {flag for action in command.parser()._actions for flag in action.option_strings}
    assert flags == {"-h", "--help", "--output", "--quick", "--only"}
