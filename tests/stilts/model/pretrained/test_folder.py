import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

import stilts
from hpc.files import replacing_folder

ROOT = Path(stilts.__file__).parents[1]
SLOW_BUILDER = """
import sys, time
from pathlib import Path
from hpc.files import replacing_folder
with replacing_folder(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("x")
    print("building", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def builder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_BUILDER, tmp_path / "made"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "building\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def build(path: Path, text: str) -> None:
    with replacing_folder(path) as folder:
        (folder / "file").write_text(text)


def test_a_folder_is_whole_and_replaces_an_older_one(tmp_path):
    for text in ("one", "two"):
        build(tmp_path / "made", text)
        assert (tmp_path / "made" / "file").read_text() == text
    assert os.listdir(tmp_path) == ["made"]


def test_it_is_as_readable_as_any_new_folder(tmp_path):
    build(tmp_path / "made", "x")
    (tmp_path / "other").mkdir()
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == stat.S_IMODE(
        (tmp_path / "other").stat().st_mode
    )


def test_an_error_leaves_the_older_folder_and_no_litter(tmp_path):
    build(tmp_path / "made", "one")
    with pytest.raises(TypeError):
        build(tmp_path / "made", None)
    assert os.listdir(tmp_path) == ["made"]
    assert (tmp_path / "made" / "file").read_text() == "one"


def test_a_killed_builder_leaves_nothing_under_the_name_and_is_swept_up(tmp_path, builder):
    builder.kill()
    builder.wait()
    assert not (tmp_path / "made").exists()
    assert len(os.listdir(tmp_path)) == 1
    build(tmp_path / "made", "x")
    assert os.listdir(tmp_path) == ["made"]


def test_a_living_builder_is_left_alone(tmp_path, builder):
    build(tmp_path / "made", "x")
    (theirs,) = set(os.listdir(tmp_path)) - {"made"}
    assert (tmp_path / theirs / "half").exists()


def test_many_builders_at_once(tmp_path):
    script = SLOW_BUILDER.replace("time.sleep(60)", "time.sleep(float(sys.argv[2]))")
    waits = ["0.0", "0.05", "0.1", "0.1"]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, tmp_path / "made", wait], cwd=ROOT, stdout=subprocess.DEVNULL
        )
        for wait in waits
    ]
    started = time.monotonic()
    assert [process.wait(timeout=60) for process in processes] == [0] * len(waits)
    assert time.monotonic() - started < 60
    assert os.listdir(tmp_path) == ["made"]
    assert (tmp_path / "made" / "half").read_text() == "x"
