"""Rows of latency: told apart by all that makes them differ, from whole processes, one number for a thing."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hpc.usage import measured
from stilts.report import render
from stilts.report.builders import latency, pareto
from stilts.report.evidence import Evidence
from stilts.report.form import Cell
from stilts.report.spec import load_spec
from stilts.report.timings import Timings, Variant, load as load_timings
from stilts.run import records
from stilts.run.folder import RunFolder
from stilts.run.outputs import write_done


def built(name: str, evidence: Evidence) -> dict[str, Cell]:
    """All cells of a table or figure by their address without its name."""
    tables = [render.table_of(one) for one in render.build(load_spec(name), evidence)]
    return {address.split("/", 1)[1]: cell for table in tables for address, cell in table.cells()}


def variant(**other: Any) -> Variant:
    values = {
        "row": "direct", "target": "xnli", "batch_size": 1, "impl": "sdpa", "dtype": "fp32", "device": "cpu",
        "scenario": "single_stream", "heads": 1, "language": "en", "padding": "none",
    }  # fmt: skip
    return Variant(**(values | other))


def timed(level: float) -> Timings:
    rng = np.random.default_rng(int(level))
    return Timings(model={(f"p{n}", n): level * 1e6 * rng.lognormal(0, 0.005, 60) for n in range(6)})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("device", "NVIDIA H100"),
        ("dtype", "bf16"),
        ("language", "sw"),
        ("scenario", "server"),
        ("padding", "graph"),
    ],
)
def test_rows_that_differ_in_anything_have_verdicts_of_their_own(
    evidence: Evidence, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """On one device `joint` is a fifth slower, on the other a fifth faster: each has a verdict of its own."""
    other = {name: value}
    found = {
        variant(): timed(10),
        variant(row="joint"): timed(12),
        variant(**other): timed(20),
        variant(row="joint", **other): timed(16),
    }
    monkeypatch.setattr(latency, "load", lambda _: found)
    cells = built("latency", evidence)
    first = getattr(variant(), name)
    assert cells[f"xnli/b1/joint/{first}/verdict"].text == "worse"
    assert cells[f"xnli/b1/joint/{value}/verdict"].text == "better"
    assert len([key for key in cells if key.endswith("/verdict")]) == 4


def test_a_process_that_was_cut_short_is_no_replicate(evidence: Evidence, tmp_path: Path) -> None:
    shutil.copytree(evidence.folder, tmp_path / "runs")
    here = tmp_path / "runs"
    whole = {len(timings.model) for timings in load_timings(replace(evidence, folder=here)).values()}
    (run,) = [run for run in evidence.plan.values() if run.stage == "latency"][:1]
    RunFolder(here / run.id).done.unlink()
    fewer = {len(timings.model) for timings in load_timings(replace(evidence, folder=here)).values()}
    assert fewer == {count - 1 for count in whole}


def test_a_tokenizer_may_take_its_time(
    evidence: Evidence, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """float32 holds every nanosecond up to 16.8 ms; what took longer is rounded, and nothing is left out."""
    shutil.copytree(evidence.folder, tmp_path / "runs")
    own = replace(evidence, folder=tmp_path / "runs")
    before = load_timings(evidence)
    for run in [run for run in evidence.plan.values() if run.stage == "latency"]:
        here = RunFolder(own.folder / run.id)
        folder = here.records / "latency"
        rows = records.read("latency", [folder]).to_pylist()
        for row in rows:
            row["tokenize_ns"] = 123_456_789
        (shard,) = records.shards_of(folder)
        records.write_shard(folder, "latency", rows, name=shard.stem)
        with measured() as meter:
            pass
        write_done(here.path, run.fingerprint, meter.usage)
    after = load_timings(own)
    assert {key: timings.count for key, timings in after.items()} == {
        key: timings.count for key, timings in before.items()
    }
    for timings in after.values():
        for process, times in timings.end_to_end.items():
            assert times - timings.model[process] == pytest.approx(123_456_789, rel=1e-6)
    assert "EXCLUDED" not in capsys.readouterr().err


def test_the_figure_tells_the_medians_of_the_table(evidence: Evidence) -> None:
    table, figure = built("latency", evidence), built("pareto", evidence)
    for row in ("direct", "multi", "joint"):
        middle = [table[f"{target}/b1/{row}/p50"].value for target in ("xnli", "xquad")]
        assert figure[f"{row}/milliseconds"].value == pytest.approx(sum(middle) / 2)


def test_the_figure_is_of_one_setting_and_names_it(
    evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = ("direct", "multi", "joint")
    found = {variant(row=row, target=target): timed(10) for row in rows for target in ("xnli", "xquad")}
    found |= {variant(row="direct", target="xnli", impl="a faster one"): timed(1)}
    monkeypatch.setattr(pareto, "load", lambda _: found)
    cells = built("pareto", evidence)
    assert cells["direct/milliseconds"].value == pytest.approx(10, rel=0.02)
    (made,) = pareto.build(load_spec("pareto"), evidence)
    assert "cpu, fp32, attention sdpa, language en" in made.table.caption
