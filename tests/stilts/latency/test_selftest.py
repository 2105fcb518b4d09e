"""The doctor refuses a machine that is busy, and the self-test one that disturbs it; both say by what."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest

from stilts.latency import doctor, selftest
from stilts.latency.__main__ import main
from stilts.report.inference import Calls

SPIN = [sys.executable, "-c", "while True: pass"]


@pytest.fixture
def busy():
    """A loop for every processor beside us."""
    loops = [subprocess.Popen(SPIN) for _ in range(os.cpu_count() or 1)]
    yield
    for loop in loops:
        loop.kill()
        loop.wait()


@pytest.mark.usefixtures("busy")
def test_a_busy_machine_cannot_measure(capsys):
    assert main(["doctor"]) == 1
    told = capsys.readouterr().out
    assert "BAD  others" in told
    assert "stop them" in told
    assert "cannot measure now" in told
    assert main(["selftest"]) == 1
    told = capsys.readouterr().out
    assert "nothing was timed" in told
    assert "equivalent" not in told


def test_the_doctor_looks_at_everything():
    found = {finding.what for finding in doctor.examine(0.3)}
    assert {"others", "hypervisor", "waits", "steadiness", "governor", "clock", "GPU"} <= found


def processes(same, slower, spread, count=6, seed=0):
    chance = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        machine = chance.gamma(80, 1 / 80, 240)
        ratios = {"model": 1.0, "again": same, "slower": slower}
        made.append(
            selftest.Process(
                calls_of={
                    name: Calls(
                        np.arange(240),
                        1e6
                        * machine
                        * ratio
                        * math.exp(chance.normal(0, spread))
                        * chance.normal(1, 0.005, 240),
                    )
                    for name, ratio in ratios.items()
                },
                flagged={},
                calls=720,
                overhead_ns=1000,
            )
        )
    return made


def test_outcomes_are_judged_as_tables_judge():
    outcome = selftest.judge(processes(1.0, 1.05, 0.002))
    assert outcome.is_equal
    assert outcome.is_found
    assert outcome.covers
    assert not selftest.judge(processes(1.03, 1.05, 0.002)).is_equal
    assert not selftest.judge(processes(1.0, 1.0, 0.002)).is_found
    assert not selftest.judge(processes(1.0, 1.05, 0.08)).is_equal


def test_too_many_disturbed_calls_are_no_number(monkeypatch, capsys):
    disturbed = [
        selftest.Process(calls_of=one.calls_of, flagged={"stolen_time": 300}, calls=720, overhead_ns=1000)
        for one in processes(1.0, 1.05, 0.002)
    ]

    class Pool:
        def __init__(self, *_, **__):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def map(self, *_):
            return disturbed

    monkeypatch.setattr(selftest, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(doctor, "examine", list)
    assert selftest.selftest(1) == 1
    told = capsys.readouterr().out
    assert "cannot measure now: 42 % of the calls were disturbed (stolen_time 1800)" in told
    assert "equivalent" not in told


@pytest.mark.slow
def test_the_protocol_on_itself(capsys):
    """A minute on two quiet cores, see `stilts latency selftest --repetitions 10`."""
    code = main(["selftest"])
    told = capsys.readouterr().out
    assert code == 0 or "cannot measure" in told


@pytest.mark.parametrize("verb", ["run", "doctor", "selftest", "compact", "lengths"])
def test_every_verb_says_what_it_does(verb, capsys):
    assert main([verb, "--help"]) == 0
    assert "exit codes" in capsys.readouterr().out
    assert main(["--help"]) == 0
    assert verb in capsys.readouterr().out


def test_a_study_that_times_nothing_or_is_not_trained_is_refused(tmp_path, capsys):
    assert main(["run", "--study", "pos-partut", "--runs", str(tmp_path)]) == 2
    assert "times nothing" in capsys.readouterr().err
    assert main(["run", "--study", "mini", "--runs", str(tmp_path)]) == 3
    assert "stilts launch --grid latency --study mini" in capsys.readouterr().err
    assert main(["run", "--study", "xlmr-base-serving", "--runs", str(tmp_path), "--dry-run"]) == 0
    assert "[6/6] deploy.p5: planned" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
