"""Ranks that are killed, another number of ranks, damaged files: what is trained in the end is the same."""

import json
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from stilts.model import checkpoint
from stilts.run import ledger, records, stages
from stilts.run.folder import RunFolder
from stilts.study.grid import expand
from stilts.study.loading import load_study
from tests.starting import start_ranks

ROOT = Path(__file__).parents[3]
TINY = ROOT / "stilts" / "study" / "studies" / "tiny.toml"
RUN = "multi-s1"


def prepared(folder: Path, **changes: str) -> Path:
    """The runs of the tiny study with some lines changed, its model made."""
    text = TINY.read_text(encoding="utf-8").replace('name = "tiny"', 'name = "small"')
    for before, after in changes.values():
        assert before in text
        text = text.replace(before, after)
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    root = folder / "runs" / "small"
    for spec in expand(load_study(str(path)), "multitask"):
        RunFolder(root / spec.id).write_spec(spec)
    stages.run(str(root / "model"))
    return root


def start(run: RunFolder, *, world: int) -> list[subprocess.Popen]:
    with open(run.path.parent / "log.txt", "ab") as log:
        return start_ranks(["-m", "stilts.run", run.path], world=world, output=log)


def finish(run: RunFolder, *, world: int) -> None:
    codes = [process.wait(timeout=300) for process in start(run, world=world)]
    assert codes == [0] * world, (run.path.parent / "log.txt").read_text()[-3000:]


def kill_one(run: RunFolder, *, world: int, looks: int, after: float, which: int) -> bool:
    """Kills a rank some seconds after so many scores on dev; returns whether the run was not over by then."""
    processes = start(run, world=world)
    wanted = num_scored(run) + looks
    while all(process.poll() is None for process in processes) and num_scored(run) < wanted:
        time.sleep(0.005)
    time.sleep(after)
    alive = processes[which].poll() is None
    processes[which].send_signal(signal.SIGKILL)
    for process in processes:
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return alive


def num_scored(run: RunFolder) -> int:
    """Scores on dev that are told so far, those told again after a kill too."""
    return run.metrics.read_bytes().count(b'"at": "dev"') if run.metrics.exists() else 0


def weights(run: RunFolder) -> dict[str, np.ndarray]:
    found = checkpoint.read(run.weights).tensors
    return {name: np.array(value) for name, value in found.items()} | {
        "heads": np.frombuffer((run.weights / "heads.safetensors").read_bytes(), np.uint8)
    }


def disturb(root: Path, *, world: int, kills: int, seed: int) -> int:
    """Kills a rank at so many moments of a run, then lets it end; returns how many found it at work."""
    draw = random.Random(seed)
    run = RunFolder(root / RUN)
    found = [
        kill_one(
            run,
            world=world,
            looks=draw.randrange(1, 5),
            after=draw.uniform(0.0, 0.2),
            which=draw.randrange(world),
        )
        for _ in range(kills)
    ]
    finish(run, world=world)
    return sum(found)


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_kills_of_random_ranks_leave_no_trace(tmp_path: Path, kills: int) -> None:
    (tmp_path / "a").mkdir()
    whole = prepared(tmp_path / "a")
    finish(RunFolder(whole / RUN), world=2)
    expected = weights(RunFolder(whole / RUN))
    reached = 0
    # A run is over after some: then another one is disturbed.
    for number in range(-(-kills // 4)):
        folder = tmp_path / f"b{number}"
        folder.mkdir()
        root = prepared(folder)
        reached += disturb(root, world=2, kills=min(4, kills), seed=number)
        found = weights(RunFolder(root / RUN))
        assert found.keys() == expected.keys()
        assert all(np.array_equal(found[name], expected[name]) for name in expected)
        assert losses(RunFolder(root / RUN)) == losses(RunFolder(whole / RUN)), "each step is told once"
        assert scores(RunFolder(root / RUN)) == scores(RunFolder(whole / RUN))
    assert reached >= kills // 2, "kills that come when all is over show nothing"


@pytest.mark.parametrize(
    "worlds",
    [pytest.param((2, 1), id="2-to-1"), pytest.param((1, 2), id="1-to-2", marks=pytest.mark.slow)],
)
def test_a_run_goes_on_on_another_number_of_ranks(tmp_path: Path, worlds: tuple[int, int]) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    # Masks belong to ranks; and the larger the rate the faster rounding grows into the losses.
    plain = {
        "dropout": ("dropout = 0.1", "dropout = 0.0"),
        "rate": ("learning_rate = 1e-3", "learning_rate = 1e-4"),
    }
    whole = RunFolder(prepared(tmp_path / "a", **plain) / RUN)
    finish(whole, world=1)
    other = RunFolder(prepared(tmp_path / "b", **plain) / RUN)
    assert kill_one(other, world=worlds[0], looks=5, after=0.0, which=0)
    assert list(other.checkpoints.glob("step-*/committed.json"))
    finish(other, world=worlds[1])
    assert read(whole, "mixture.json") == read(other, "mixture.json"), "the same global batches"
    assert losses(other) == pytest.approx(losses(whole), rel=1e-5)
    assert len(losses(whole)) == 76
    assert scores(other) == scores(whole)


def losses(run: RunFolder) -> list[float]:
    """Of every step that was drawn."""
    told = [json.loads(line) for line in run.metrics.read_text().splitlines()]
    return [loss for line in told if line["at"] == "steps" for loss in line["losses"]]


def scores(run: RunFolder) -> list[tuple]:
    told = [json.loads(line) for line in run.metrics.read_text().splitlines()]
    return [(line["step"], line["kept"]) for line in told if line["at"] == "dev"]


def read(run: RunFolder, name: str) -> dict:
    return json.loads((run.path / name).read_text(encoding="utf-8"))


def test_the_ledger_of_a_run_that_was_killed_adds_up(tmp_path: Path) -> None:
    # Large enough for its steps to be told between two checkpoints.
    root = prepared(tmp_path, model=('"random:toy"', '"random"'))
    run = RunFolder(root / RUN)
    draw = random.Random(3)
    wall = 0.0
    for _ in range(5):
        began = time.time()
        kill_one(run, world=1, looks=1, after=draw.uniform(0.3, 0.9), which=0)
        wall += time.time() - began
    began = time.time()
    finish(run, world=1)
    wall += run.done.stat().st_mtime - began
    (row,) = records.read("training", [run.records / "training"]).to_pylist()
    spent = ledger.spent(run.attempts)
    assert row["attempts"] == spent.attempts == 6
    assert spent.total == pytest.approx(wall, rel=0.03), (spent, wall)
    assert row["total_seconds"] == pytest.approx(spent.total, rel=0.03)
    parts = ("startup", "data", "training", "evaluation", "checkpoint", "waiting", "lost")
    assert sum(row[f"{part}_seconds"] for part in parts) == pytest.approx(row["total_seconds"], rel=1e-6)
    assert row["lost_seconds"] > 0
    shutil.rmtree(root)
