"""Wrong requests and a machine that refuses: one clear line, the right exit code, nothing half-written."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TINY = ROOT / "stilts" / "study" / "studies" / "tiny.toml"


def launch(*arguments, runs):
    return subprocess.run(
        [sys.executable, "-m", "stilts.launch", *map(str, arguments), "--runs", str(runs)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def changed(tmp_path, old, new):
    text = TINY.read_text()
    assert old in text
    path = tmp_path / "study.toml"
    # A study of one's own has a name of its own.
    path.write_text(text.replace(old, new).replace('name = "tiny"', 'name = "small"'))
    return path


@contextmanager
def small_disk(folder, options):
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            'single_tasks = ["mnli"]',
            'single_tasks = ["mnlii"]',
            "study small: unknown task 'mnlii'. Did you mean 'mnli'",
        ),
        ('name = "tiny"', 'name = "tiny', "is not valid TOML"),
        ("learning_rate", "learning_rat", "Did you mean 'learning_rate'?"),
        ("layers = 2", 'layers = "two"', "layers should be a whole number, not a string"),
        ("warmup = 1", "warm = 1", "unknown key 'warm'"),
        ('precision = "fp32"', 'precision = "bf16"\nstag = 0', "unknown key 'stag'"),
    ],
)
def test_a_wrong_study_is_answered_with_the_right_one(tmp_path, old, new, expected):
    done = launch("--grid", "all", "--study", changed(tmp_path, old, new), runs=tmp_path / "runs")
    assert done.returncode == 2
    assert expected in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_an_unknown_grid_and_study_and_cluster(tmp_path):
    for arguments, expected in (
        (("--grid", "allx"), "unknown grid 'allx'. Did you mean 'all'?"),
        (("--grid", "all", "--study", "minu"), "unknown study 'minu'. Did you mean 'mini'?"),
        (("--grid", "all", "--cluster", "locol"), "'local'"),
    ):
        done = launch(*arguments, runs=tmp_path / "runs")
        assert done.returncode == 2
        assert expected in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_a_missing_model_is_told_once_and_blocks_the_rest(tmp_path):
    study = changed(tmp_path, 'source = "random:toy"', 'source = "/no/such/model"')
    done = launch("--grid", "multitask", "--study", study, runs=tmp_path / "runs")
    assert done.returncode == 3
    told = [line for line in done.stdout.splitlines() if "failed model" in line]
    assert len(told) == 1
    assert "/no/such/model" in told[0]
    assert "1 failed, 1 blocked" in done.stdout
    assert not list((tmp_path / "runs").rglob("done.json"))


def test_a_runs_folder_that_cannot_be_written(tmp_path):
    with small_disk(tmp_path / "disk", "ro,size=1M") as disk:
        done = launch("--grid", "all", "--study", TINY, runs=disk / "runs")
    assert done.returncode == 1
    assert "Read-only file system" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_full_disk_leaves_nothing_half_written_and_the_next_launch_goes_on(tmp_path):
    with small_disk(tmp_path / "disk", "size=1M") as disk:
        done = launch("--grid", "multitask", "--study", TINY, runs=disk / "runs")
        assert done.returncode == 1
        assert "No space left on device" in done.stdout
        assert not list(disk.rglob("weights"))
        subprocess.run(["mount", "-o", "remount,size=300M", str(disk)], check=True)
        done = launch("--grid", "multitask", "--study", TINY, runs=disk / "runs")
        assert done.returncode == 0, done.stdout + done.stderr
        assert (disk / "runs" / "tiny" / "multi-s1" / "weights" / "model.safetensors").exists()
        assert not [path for path in disk.rglob(".*") if path.is_file() and os.path.getsize(path) > 10**5]
