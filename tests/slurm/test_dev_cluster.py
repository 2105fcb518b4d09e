"""Where slurmd cannot run, the cluster of one's own says so and what to do, before anything is started."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.slurm.conftest import COMMAND

pytestmark = pytest.mark.slurm


def test_without_control_groups_it_is_refused_in_one_line(tmp_path: Path) -> None:
    if shutil.which("slurmd", path="/usr/sbin") is None:
        pytest.skip("SLURM is not installed")
    if subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        pytest.skip("no mount namespace can be made here")
    up = shlex.join([*COMMAND, "up", "--folder", str(tmp_path / "here")])
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f"umount --lazy /sys/fs/cgroup && exec {up}"],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 3, done.stderr
    (line,) = done.stderr.splitlines()
    assert "mount -t cgroup2 none /sys/fs/cgroup" in line
    assert not (tmp_path / "here").exists()
