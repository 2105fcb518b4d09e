"""What attempts spent: by what it was spent on, and what of it was lost."""

import json
import time
from dataclasses import asdict

import pytest

from hpc import energy
from stilts.run import ledger
from stilts.run.ledger import Attempt


def test_time_goes_to_what_it_was_spent_on(tmp_path) -> None:
    with ledger.keeping(tmp_path, ranks=2):
        with ledger.spending("data"):
            time.sleep(0.1)
        with ledger.spending("training"):
            time.sleep(0.1)
            with ledger.spending("checkpoint"):
                time.sleep(0.05)
            ledger.waited(0.04)
        ledger.committed(7)
    (attempt,) = ledger.read(tmp_path)
    seconds = attempt.seconds
    assert seconds["data"] == pytest.approx(0.1, abs=0.03)
    assert seconds["training"] == pytest.approx(0.06, abs=0.03)
    assert seconds["waiting"] == pytest.approx(0.04, abs=0.005)
    assert seconds["checkpoint"] == pytest.approx(0.05, abs=0.03)
    assert attempt.committed == {"7": pytest.approx(seconds["training"])}
    spent = ledger.spent(tmp_path)
    assert spent.total == pytest.approx(2 * attempt.wall), "seconds times ranks"


def test_nothing_is_kept_outside_a_run(tmp_path) -> None:
    with ledger.spending("training"):
        ledger.waited(1.0)
        ledger.committed(3)
    with ledger.keeping(tmp_path, ranks=2, writes=False), ledger.spending("data"):
        pass
    assert list(tmp_path.iterdir()) == []


def write(folder, number: int, **said) -> None:
    attempt = asdict(Attempt(began_unix=0.0, **said))
    (folder / f"{number:04d}.json").write_text(json.dumps(attempt), encoding="utf-8")


def test_work_after_the_checkpoint_that_was_gone_on_from_is_lost(tmp_path) -> None:
    spent = {"start-up": 4.0, "training": 80.0, "evaluation": 20.0}
    write(tmp_path, 1, seconds=spent, committed={"10": 40.0, "20": 90.0})
    # The newest checkpoint was damaged: it went on from the one before.
    write(tmp_path, 2, seconds={"start-up": 4.0, "training": 50.0}, resumed=10, ranks=2)
    found = ledger.spent(tmp_path)
    assert found.attempts == 2
    assert found.seconds["lost"] == pytest.approx(60.0)
    assert found.seconds["training"] == pytest.approx(0.4 * 80 + 2 * 50)
    assert found.seconds["evaluation"] == pytest.approx(0.4 * 20)
    assert found.total == pytest.approx(104 + 2 * 54)


def test_an_attempt_that_saved_nothing_lost_all_its_steps(tmp_path) -> None:
    write(tmp_path, 1, seconds={"data": 1.0, "training": 9.0})
    write(tmp_path, 2, seconds={"data": 1.0, "training": 30.0})
    found = ledger.spent(tmp_path)
    assert (found.seconds["lost"], found.seconds["training"]) == (9.0, 30.0)


def test_energy_is_known_only_where_all_attempts_know_it(tmp_path) -> None:
    write(tmp_path, 1, energy_j=10.0)
    write(tmp_path, 2, energy_j=5.0)
    assert ledger.spent(tmp_path).energy_j == 15.0
    write(tmp_path, 3, energy_j=None)
    assert ledger.spent(tmp_path).energy_j is None


def test_a_processor_s_counter_may_begin_again(tmp_path, monkeypatch) -> None:
    zone = tmp_path / "intel-rapl:0"
    zone.mkdir()
    monkeypatch.setattr(energy, "_RAPL", tmp_path)
    monkeypatch.setattr(energy, "_gpu_counters", dict)
    (zone / "max_energy_range_uj").write_text("100000000", encoding="utf-8")
    (zone / "energy_uj").write_text("98000000", encoding="utf-8")
    before = energy.counters()
    assert before == {"package intel-rapl:0": 98.0}
    (zone / "energy_uj").write_text("3000000", encoding="utf-8")
    assert energy.since(before) == pytest.approx(5.0)
    (zone / "energy_uj").unlink()
    assert energy.since(before) is None
