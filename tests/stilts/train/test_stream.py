"""What a phase tells while it runs."""

import json
import sys
import types

import pytest

from hpc.errors import UserError
from stilts.run.folder import RunFolder
from stilts.train.stream import TRACKERS, Stream


def told(run: RunFolder) -> list[tuple[str, int]]:
    lines = [json.loads(line) for line in run.metrics.read_text(encoding="utf-8").splitlines()]
    return [(line["at"], line["step"]) for line in lines]


def test_a_step_is_told_once_though_an_attempt_goes_back(tmp_path) -> None:
    run = RunFolder(tmp_path)
    stream = Stream(run, steps=10, writes=True)
    for step in (2, 4, 6):
        stream.steps(step, {"loss": 1.0 / step})
    stream.dev(4, {"mnli": {"accuracy": 50.0}}, kept=True)
    stream.notice(6, "the loss jumped: mnli to 4")
    again = Stream(run, steps=10, writes=True)
    again.go_on_from(4)
    again.steps(6, {"loss": 0.1})
    assert told(run) == [("steps", 2), ("steps", 4), ("dev", 4), ("steps", 6)]
    with open(run.metrics, "a", encoding="utf-8") as file:
        file.write('{"at": "steps", "st')
    Stream(run, steps=10, writes=True).go_on_from(4)
    assert told(run)[-1] == ("dev", 4)


def test_other_ranks_are_silent(tmp_path) -> None:
    stream = Stream(RunFolder(tmp_path), steps=10, writes=False)
    stream.go_on_from(0)
    stream.steps(2, {"loss": 1.0})
    stream.dev(2, {}, kept=False)
    assert list(tmp_path.iterdir()) == []


def test_trackers_are_told_the_same(tmp_path, monkeypatch) -> None:
    logged = []

    class Session:
        def log(self, values, step):
            logged.append((step, values))

    made = []
    fake = types.ModuleType("wandb")
    fake.init = lambda **said: made.append(said) or Session()
    monkeypatch.setitem(sys.modules, "wandb", fake)
    monkeypatch.setenv(TRACKERS, "wandb")
    stream = Stream(RunFolder(tmp_path / "mini" / "mnli-s1"), steps=4, writes=True)
    stream.steps(2, {"loss": 0.5})
    stream.dev(4, {"mnli": {"accuracy": 81.0}}, kept=True)
    assert made[0]["project"] == "stilts-mini"
    assert (made[0]["id"], made[0]["resume"]) == ("mnli-s1", "allow")
    assert logged == [(2, {"train/loss": 0.5}), (4, {"dev/mnli/accuracy": 81.0})]


def test_tensorboard_reads_what_was_told(tmp_path, monkeypatch) -> None:
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    monkeypatch.setenv(TRACKERS, "tensorboard")
    stream = Stream(RunFolder(tmp_path / "mini" / "mnli-s1"), steps=4, writes=True)
    for step in (1, 2, 3):
        stream.steps(step, {"loss": 1.0 / step})
    events = reading.EventAccumulator(str(tmp_path / "mini" / "mnli-s1" / "tensorboard"))
    events.Reload()
    assert [(one.step, round(one.value, 3)) for one in events.Scalars("train/loss")] == [
        (1, 1.0),
        (2, 0.5),
        (3, 0.333),
    ]


def test_a_tracker_that_is_unknown_or_not_installed_is_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(TRACKERS, "mlflow")
    with pytest.raises(UserError, match="STILTS_TRACKERS names 'mlflow'; known: tensorboard, wandb"):
        Stream(RunFolder(tmp_path), steps=1, writes=True)
    monkeypatch.setenv(TRACKERS, "wandb")
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(UserError, match="wandb, which is not installed"):
        Stream(RunFolder(tmp_path), steps=1, writes=True)
