"""Long runs stay as large as they are: memory and open files over thousands of steps and batches."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
STUDY = """
name = "long"
summary = "one small model, for very long"
seeds = [1]
sources = ["embedded"]
targets = ["xnli"]
languages = {{ default = [{languages}] }}
limits.default = {{ train = 48, dev = 8, test = {test} }}
zero = {{ precision = "fp32" }}
evaluation = {{ dtype = "fp32", tokens_per_batch = {tokens} }}

[optimisation.default]
epochs = 1e6
max_steps = {steps}
tokens_per_batch = 256
frozen = ["embeddings"]   # most of the parameters, and of the time of a step
save_every = 250
evaluate_every = 250
patience = 1000

[model]
source = "random:toy"
layers = 1
vocabulary = "study"

[intermediate]
tasks = ["mnli"]
single_tasks = ["mnli"]
"""
MEBIBYTE = 2**20


@dataclass(frozen=True)
class Sample:
    """What a process holds at a moment."""

    memory: int
    handles: int


def samples(command: list[str], cwd: Path) -> list[Sample]:
    """A command's memory and open files, ten times a second, until it ends well."""
    place = os.environ | {"PYTHONPATH": str(ROOT), "STILTS_CACHE": str(cwd / "cache")}
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=place,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    own, found = Path("/proc") / str(process.pid), []
    while process.poll() is None:
        try:
            pages = int((own / "statm").read_text().split()[1])
            found.append(Sample(pages * os.sysconf("SC_PAGE_SIZE"), len(list((own / "fd").iterdir()))))
        except (OSError, IndexError):
            break
        time.sleep(0.1)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return found


def prepared(folder: Path, **sizes: object) -> None:
    """A study whose runs are written down, the model made."""
    (folder / "long.toml").write_text(STUDY.format(**sizes), encoding="utf-8")
    launch = [sys.executable, "-m", "stilts.launch", "--grid", "all", "--study", "long.toml"]
    samples([*launch, "--only", "model"], folder)
    samples([*launch, "--write-only"], folder)


def assert_flat(found: list[Sample]) -> None:
    """The last fifth holds no more than the second fifth did, but for what an allocator rounds."""
    assert len(found) > 100, "too short to tell"
    fifth = len(found) // 5
    early, late = found[fifth : 2 * fifth], found[-fifth:-3]
    grown = median(s.memory for s in late) - median(s.memory for s in early)
    assert grown < 24 * MEBIBYTE, f"grown by {grown / MEBIBYTE:.0f} MiB"
    assert median(s.handles for s in late) <= median(s.handles for s in early) + 1


@pytest.mark.slow
def test_five_thousand_steps_hold_as_much_as_a_thousand(tmp_path: Path) -> None:
    """With 20 checkpoints and 20 looks at the dev set."""
    prepared(tmp_path, steps=5000, test=8, tokens=512, languages='"en", "de"')
    assert_flat(samples([sys.executable, "-m", "stilts", "run", "runs/long/mnli-s1"], tmp_path))


@pytest.mark.slow
def test_ten_thousand_batches_hold_as_much_as_two_thousand(tmp_path: Path) -> None:
    """Of eight languages: what is kept of one until it is written is no more for the last."""
    languages = '"en", "de", "fr", "es", "ru", "zh", "ar", "vi"'
    prepared(tmp_path, steps=4, test=1250, tokens=16, languages=languages)
    for run in ("mnli-s1", "mnli-s1.xnli"):
        samples([sys.executable, "-m", "stilts", "run", f"runs/long/{run}"], tmp_path)
    assert_flat(samples([sys.executable, "-m", "stilts", "run", "runs/long/mnli-s1.xnli.eval"], tmp_path))


def test_what_grows_is_seen() -> None:
    growing = [Sample(200 * MEBIBYTE + n * MEBIBYTE, 9) for n in range(200)]
    with pytest.raises(AssertionError, match="grown by"):
        assert_flat(growing)
    assert_flat([Sample(200 * MEBIBYTE, 9)] * 200)
    with pytest.raises(AssertionError):
        assert_flat([Sample(200 * MEBIBYTE, 9 + n // 20) for n in range(200)])
