"""What a run's numbers came from."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from hpc.errors import UserError
from stilts.run import provenance
from stilts.run.provenance import git_state


def test_a_job_does_not_go_on_with_other_code(monkeypatch) -> None:
    monkeypatch.setenv(provenance.CODE_VARIABLE, provenance.code_digest())
    provenance.refuse_other_code(os.environ)
    monkeypatch.setenv(provenance.CODE_VARIABLE, "0123456789abcdef")
    said = r"the code has changed since this job was launched \(0123456789abcdef, now"
    with pytest.raises(UserError, match=said):
        provenance.refuse_other_code(os.environ)


def test_another_repository_that_holds_the_package_is_not_named(tmp_path: Path) -> None:
    """Installed below somebody's thesis, whose commits say nothing of this code."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    package = tmp_path / "thesis" / "venv" / "stilts"
    package.mkdir(parents=True)
    (package / "code.py").write_text("x = 1\n")
    (tmp_path / "thesis" / "thesis.tex").write_text("years\n")

    def git(*arguments: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", *who, *arguments], cwd=tmp_path / "thesis", check=True, capture_output=True)

    git("init")
    git("add", "thesis.tex")
    git("commit", "-m", "all")
    assert git_state(package) == {}
    git("add", "-f", "venv")
    git("commit", "-m", "vendored")
    assert len(git_state(package)["sha"]) == 40


def test_a_difference_that_git_does_not_tell_is_unknown(tmp_path: Path, monkeypatch) -> None:
    """As on a slow disk, where it takes too long."""
    real = shutil.which("git")
    if real is None:
        pytest.skip("git is not installed")
    fake = tmp_path / "git"
    fake.write_text(f'#!/bin/sh\ncase " $* " in *" diff "*) exit 128;; esac\nexec {real} "$@"\n')
    fake.chmod(0o755)
    here = tmp_path / "code"
    here.mkdir()
    (here / "code.py").write_text("x = 1\n")
    for command in (
        ["init"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-m", "a"],
    ):
        subprocess.run([real, *command], cwd=here, check=True, capture_output=True)
    assert git_state(here)["diff"] == ""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert git_state(here)["diff"] == "unknown"


def test_every_attempt_tells_its_files() -> None:
    assert provenance.describe()["code"] == provenance.code_digest()
