"""What is not there and what is not shown are two things."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hpc.errors import Unreadable
from hpc.files import files_below, is_locked, is_there, listing, matching, read_json_lines
from hpc.slurm.queue import read_job
from tests.withholding import withheld

LOOKS: dict[str, Callable[[Path], object]] = {
    "is_there": lambda here: is_there(here / "in" / "b.txt"),
    "listing": lambda here: listing(here / "in"),
    "files_below": files_below,
    "matching": lambda here: matching(here, "*/b.*"),
    "a name": lambda here: matching(here, "in/b.txt"),
    "is_locked": lambda here: is_locked(here / "in" / "b.txt"),
    "lines": lambda here: read_json_lines(here / "in" / "b.txt"),
    "a job's note": lambda here: read_job(here / "in"),
}


@pytest.fixture
def here(tmp_path: Path) -> Path:
    for name in ("a.txt", "in/b.txt", "in/.c.txt", "in/deep/d.toml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_what_is_there(here: Path) -> None:
    assert is_there(here / "in")
    assert [path.name for path in listing(here)] == ["a.txt", "in"]
    assert [path.name for path in listing(here / "in", "[!.]*.txt")] == ["b.txt"]
    assert files_below(here, "*.t*") == sorted(
        here / name for name in ("a.txt", "in/b.txt", "in/.c.txt", "in/deep/d.toml")
    )
    assert matching(here, "*/b.*") == [here / "in" / "b.txt"]
    assert matching(here, "in/d*/*") == [here / "in" / "deep" / "d.toml"]
    assert matching(here, "in") == [here / "in"]


def test_what_is_not_there(here: Path) -> None:
    assert not is_there(here / "b.txt")
    assert not is_there(here / "a.txt" / "b.txt")
    assert not is_there(f"{here}/\0")
    for nowhere in (here / "none", here / "a.txt"):
        assert listing(nowhere) == files_below(nowhere) == matching(nowhere, "x/*.y") == []
    assert not is_locked(here / "none")
    assert read_json_lines(here / "none") == []
    assert read_job(here / "none") is None


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_what_is_withheld(here: Path, look: Callable[[Path], object]) -> None:
    with withheld(here / "in"), pytest.raises(Unreadable, match=r"cannot read .*/in\S*: Permission denied"):
        look(here)


def test_links_are_not_followed_for_ever(here: Path) -> None:
    os.symlink(here, here / "in" / "up")
    assert len(files_below(here)) == 4
