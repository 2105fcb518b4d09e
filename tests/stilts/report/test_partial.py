"""Whatever of a study is there yet, every table and figure is made of it, and says what is missing."""

import random
import shutil
from pathlib import Path

import pytest

from stilts import tables
from stilts.report import pdf
from stilts.study.config import Study

KINDS = ("scores", "training", "latency", "serving", "memory", "predictions")


@pytest.fixture
def copy(sample: tuple[Study, Path], tmp_path: Path) -> Path:
    """The invented study, to be taken from."""
    _, runs = sample
    shutil.copy(runs.parents[1] / "sample.toml", tmp_path / "sample.toml")
    shutil.copytree(runs, tmp_path / "runs" / "sample")
    return tmp_path


@pytest.fixture(autouse=True)
def no_latex(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written compiles or not whatever is missing; other tests see to that."""
    monkeypatch.setattr(pdf, "can_compile", lambda: False)


def report(folder: Path) -> int:
    study, runs = folder / "sample.toml", folder / "runs"
    asked = ["--study", str(study), "--runs", str(runs), "--output", str(folder / "out")]
    return tables.main([*asked, "--all", "--report"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_record_may_be_missing(copy: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    for shard in copy.rglob(f"{kind}/*.arrow"):
        (shard.parents[2 if kind != "predictions" else 1] / "done.json").unlink(missing_ok=True)
        shard.unlink()
    assert report(copy) == 0
    said = capsys.readouterr()
    assert "stilts: " not in said.err
    assert (copy / "out" / "report.html").exists()
    if kind != "predictions":
        assert "no number yet" in said.err or f"no {kind}" in said.err


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("seed", [1, 2])
def test_any_runs_may_be_missing(
    copy: Path, share: float, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(seed)
    for run in sorted((copy / "runs" / "sample").iterdir()):
        if chance.random() < share:
            shutil.rmtree(run)
    assert report(copy) == 0
    assert "stilts: " not in capsys.readouterr().err
    assert (copy / "out" / "scores.md").exists()


@pytest.mark.parametrize("only", ["direct", "baseline", "latency", "deploy", "multi"])
def test_one_sort_of_run_alone_is_enough_for_what_it_says(
    copy: Path, only: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for run in (copy / "runs" / "sample").iterdir():
        if not run.name.startswith(only):
            shutil.rmtree(run)
    assert report(copy) == 0
    assert "stilts: " not in capsys.readouterr().err
