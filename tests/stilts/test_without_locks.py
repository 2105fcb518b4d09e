"""The commands on a file system that has no locks at all."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
NO_LOCKS = f"""
import fcntl

def flock(handle, kind):
    raise OSError({errno.ENOSYS}, "Function not implemented")

fcntl.flock = flock
"""


def test_every_command_works_and_a_second_launch_is_refused(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(NO_LOCKS, encoding="utf-8")
    environment = os.environ | {
        "PYTHONPATH": f"{tmp_path / 'site'}:{ROOT}",
        "STILTS_CACHE": str(tmp_path / "cache"),
    }

    def start(*arguments: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "stilts", *map(str, arguments)],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def call(*arguments: object) -> tuple[int, str]:
        process = start(*arguments)
        out, err = process.communicate(timeout=300)
        return process.returncode, out + err

    launch = ("launch", "--grid", "all", "--study", "tiny", "--only", "mnli-s1.xnli*")
    first = start(*launch)
    owner = tmp_path / "runs" / "tiny" / ".launch.lock.owner"
    end = time.monotonic() + 60
    while not owner.exists():
        assert time.monotonic() < end, "the first launch never took its lock"
        time.sleep(0.02)
    code, said = call(*launch)
    assert code == 2
    assert f"another launch (pid {first.pid} on " in said
    out, err = first.communicate(timeout=300)
    assert first.returncode == 0, out + err

    assert call(*launch)[0] == 0
    code, said = call("status", "--study", "tiny")
    assert (code, "4 of 32 runs done" in said) == (0, True), said
    assert call("tables", "--study", "tiny", "--formats", "csv")[0] == 0
    asked = ("--tasks", "xnli", "--languages", "de", "--sources", "embedded", "--limit", "4")
    code, said = call("evaluate", "run", "--model", "runs/tiny/mnli-s1.xnli", *asked)
    assert code == 0, said
    assert not list((tmp_path / "runs").rglob("*.owner")), "nothing is held by nobody"
