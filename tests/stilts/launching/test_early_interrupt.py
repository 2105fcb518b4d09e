"""Ctrl-C before a command has begun: while it imports its parts."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# Python's own start is not ours, and neither are the first milliseconds of a program.
WAITING = """
import importlib.abc, sys, time
class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == sys.argv[-1]:
            print("here", flush=True)
            time.sleep(20)
sys.meta_path.insert(0, Slow())
"""


@pytest.mark.parametrize(
    ("command", "module"),
    [("stilts.launch", "hpc.slurm"), ("stilts.status", "stilts.run"), ("stilts.tables", "stilts.report")],
)
def test_an_import_that_is_interrupted_says_one_line(tmp_path: Path, command: str, module: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(WAITING, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", command, module],
        env=os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, encoding="utf-8",
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=15)
    assert said == "stilts: interrupted; the same command goes on from what is there\n"
    assert process.returncode == -signal.SIGINT  # 130 to a shell


def test_a_program_of_others_keeps_its_own_way() -> None:
    code = "import sys, hpc.command; print(sys.excepthook is sys.__excepthook__)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert done.stdout == "True\n"
