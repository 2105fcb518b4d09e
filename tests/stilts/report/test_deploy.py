"""The deployment table says what was measured, of what it was measured, and nothing of what was disturbed."""

import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from stilts.report.breakeven import break_even
from stilts.report.builders import deploy
from stilts.report.evidence import Evidence
from stilts.report.form import Cell, Table
from stilts.report.inference import Estimate
from stilts.report.serving import Served, load
from stilts.report.spec import load_spec
from stilts.run import records
from stilts.run.folder import RunFolder


def built(evidence: Evidence) -> tuple[Table, dict[str, Cell]]:
    (table,) = deploy.build(load_spec("deploy"), evidence)
    return table, {address.removeprefix("deploy/"): cell for address, cell in table.cells()}


def test_each_way_to_serve_has_its_memory_its_rate_and_its_time(evidence: Evidence) -> None:
    table, cells = built(evidence)
    assert cells["fp32/shared/models"].text == "1"
    assert cells["fp32/resident/weights"].value == pytest.approx(0.8)
    assert cells["fp32/swapped/weights"].value == pytest.approx(0.4)
    assert cells["fp32/swapped/host"].value == pytest.approx(0.8)
    assert not cells["fp32/shared/host"].applies
    assert cells["fp32/resident/peak"].value == pytest.approx(2.0)
    assert cells["fp32/swapped/swap_disk"].value == pytest.approx(90, rel=0.02)
    assert cells["fp32/shared/rate"].value == pytest.approx(80)
    assert cells["fp32/resident/rate"].value == pytest.approx(40)
    assert cells["fp32/swapped/rate"].text == "0"
    assert cells["fp32/resident/2/p50"].value == pytest.approx(10, rel=0.02)
    assert "5 of 5 planned processes" in table.caption
    assert not any("FEW PROCESSES" in warning for warning in table.warnings)


def test_one_model_answers_two_tasks_in_half_the_time(evidence: Evidence) -> None:
    _, cells = built(evidence)
    assert cells["fp32/shared/2/ratio"].value == pytest.approx(0.5, rel=0.01)
    low, high = cells["fp32/shared/2/ratio"].low, cells["fp32/shared/2/ratio"].high
    assert low is not None
    assert high is not None
    assert 0.48 < low < high < 0.52
    assert cells["fp32/shared/2/verdict"].text == "better"
    assert cells["fp32/swapped/2/verdict"].text == "worse"
    assert cells["fp32/shared/1/verdict"].text == "equivalent"


def test_percentiles_without_enough_calls_are_not_printed(evidence: Evidence) -> None:
    _, cells = built(evidence)
    assert cells["fp32/shared/1/p95"].text not in ("", "n/a")
    assert cells["fp32/shared/1/p99"].text == "n/a"
    assert cells["fp32/shared/1/joules"].missing


def test_a_process_that_was_cut_short_is_no_replicate(evidence: Evidence, tmp_path: Path) -> None:
    shutil.copytree(evidence.folder, tmp_path / "runs")
    RunFolder(tmp_path / "runs" / "deploy.p2").done.unlink()
    table, _ = built(replace(evidence, folder=tmp_path / "runs"))
    assert "4 of 5 planned processes" in table.caption
    assert any("FEW PROCESSES: 4" in warning for warning in table.warnings)


def test_a_trial_that_was_disturbed_counts_for_nothing(
    evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = records.read

    def disturbed(kind, folders, columns=None):  # type: ignore[no-untyped-def]
        table = whole(kind, folders, columns)
        if kind != "serving":
            return table
        rows = table.to_pylist()
        for row in rows:
            if row["scenario"] == "server" and row["rate"] == 80 and row["order_pos"] % 5 == 0:
                row["valid"], row["invalid_reason"] = False, "foreign_load"
        return type(table).from_pylist(rows, schema=table.schema)

    monkeypatch.setattr(records, "read", disturbed)
    fresh = replace(evidence)
    (served,) = load(fresh, max_invalid=0.1).values()
    assert set(served["shared"].rates(50, 0.9).values()) == {40.0}
    table, cells = built(fresh)
    assert "foreign_load" in cells["fp32/shared/weights"].note
    assert "flagged and left out" in table.caption


def test_a_higher_rate_that_holds_by_chance_does_not_count(evidence: Evidence) -> None:
    (served,) = load(evidence, max_invalid=0.1).values()
    trials = served["resident"].trials[1]
    trials[90.0] = trials[20.0]
    try:
        assert served["resident"].rates(50, 0.9)[1] == 40.0
    finally:
        del trials[90.0]


def test_nothing_measured_is_said(evidence: Evidence, tmp_path: Path) -> None:
    table, cells = built(replace(evidence, folder=tmp_path))
    assert all(cell.missing for cell in cells.values())
    assert "0 of 5 planned processes" in table.caption


@pytest.mark.parametrize(
    ("extra", "saving", "outcome", "value"),
    [
        (100.0, Estimate(value=0.5, low=0.4, high=0.6), "repaid", 200.0),
        (-1.0, Estimate(value=0.5, low=0.4, high=0.6), "dominates", math.nan),
        (0.0, Estimate(value=0.5, low=0.4, high=0.6), "dominates", math.nan),
        (100.0, Estimate(value=-0.5, low=-0.6, high=-0.4), "never", math.nan),
        (0.0, Estimate(value=-0.5, low=-0.6, high=-0.4), "never", math.nan),
        (-100.0, Estimate(value=-0.5, low=-0.6, high=-0.4), "ahead until", 200.0),
        (100.0, Estimate(value=0.5, low=-0.1, high=1.1), "unknown", math.nan),
        (100.0, Estimate(value=0.5), "not tested", math.nan),
    ],
)
def test_break_even_in_all_signs(extra: float, saving: Estimate, outcome: str, value: float) -> None:
    found = break_even(Estimate(value=extra), saving)
    assert found.outcome == outcome
    assert found.value == pytest.approx(value, nan_ok=True)
    if not math.isnan(value):
        assert found.low == pytest.approx(100 / 0.6)
        assert found.high == pytest.approx(100 / 0.4)


def test_a_back_end_that_answers_otherwise_is_left_out_aloud(evidence: Evidence, tmp_path: Path) -> None:
    from hpc.usage import measured
    from stilts.report.builders import latency
    from stilts.run.outputs import write_done

    shutil.copytree(evidence.folder, tmp_path / "runs")
    here = RunFolder(tmp_path / "runs" / "latency.p1")
    row = {
        "run_id": "latency.p1", "regime": "joint", "train_tasks": "multi", "seed": 1, "target_task": "xnli",
        "lang": "en", "impl": "sdpa", "dtype": "fp32", "device_class": "cpu", "device_name": None, "n": 400,
        "difference": 0.4, "flips": 9, "reference": 70.0, "score": 60.0, "passed": False,
    }  # fmt: skip
    before = latency.build(load_spec("latency"), replace(evidence, folder=tmp_path / "runs"))[0]
    variant = next(
        row
        for row in records.read("latency", [here.records / "latency"]).to_pylist()
        if row["regime"] == "joint"
    )
    row |= {name: variant[name] for name in ("train_tasks", "device_name", "device_class")}
    records.write_shard(here.records / "gate", "gate", [row], name="gate")
    with measured() as meter:
        pass
    write_done(here.path, evidence.plan["latency.p1"].fingerprint, meter.usage)
    after = latency.build(load_spec("latency"), replace(evidence, folder=tmp_path / "runs"))[0]
    assert any("/xnli/b1/joint/" in address for address, _ in before.cells())
    assert not any("/xnli/b1/joint/" in address for address, _ in after.cells())
    assert any("/xquad/b1/joint/" in address for address, _ in after.cells())
    (told,) = [warning for warning in after.warnings if warning.startswith("GATE: 1 ")]
    assert "joint on xnli en, sdpa in fp32" in told
    assert "60.0 where fp32 has 70.0" in told


def test_a_process_that_bears_no_rate_counts(evidence: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {1: 0.0, 2: 40.0, 3: 40.0, 4: 40.0, 5: 40.0}
    monkeypatch.setattr(Served, "rates", lambda *_: rates)
    _, cells = built(evidence)
    assert cells["fp32/resident/rate"].value == pytest.approx(32)
