"""Runs the tests under Triton's interpreter, which need a process of their own, as one test."""

import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).with_name("on_device")
ROOT = FOLDER.parents[2]


def test_the_kernels_compute_what_they_should_under_the_interpreter():
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rfE", "--tb=short", "-p", "no:cacheprovider", str(FOLDER)],
        cwd=ROOT,
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-20000:]}\n{done.stderr[-4000:]}"


def test_without_the_flag_the_folder_is_left_alone():
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider", str(FOLDER)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "no tests collected" in done.stdout, done.stdout
