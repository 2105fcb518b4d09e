"""A real SLURM for the tests in this folder, started once; skipped where its packages are not installed."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, str(ROOT / "slurm" / "dev-cluster")]
TINY = ROOT / "stilts" / "study" / "studies" / "tiny.toml"


def stilts(verb: str, *words: object) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m", "stilts", verb, *map(str, words)]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=900)


class DevCluster:
    """A cluster that runs, and what tests do with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def say(self, *line: str) -> str:
        done = subprocess.run(line, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def queue(self) -> list[str]:
        return self.say("squeue", "--array", "--noheader", "--format=%i %T %r").splitlines()

    def until_empty(self, seconds: float = 180) -> None:
        self.until(lambda: not self.queue(), seconds)

    def until(self, holds, seconds: float = 180) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, self.queue()
            time.sleep(0.2)

    def daemon(self, name: str) -> psutil.Process:
        """The last process of this name that was started."""
        lines = map(json.loads, (self.folder / "daemons.jsonl").read_text().splitlines())
        return psutil.Process([one["pid"] for one in lines if one["name"] == name][-1])

    def restart_node(self, node: str) -> None:
        """Starts a node's daemon again, noted down as those before it."""
        with open(self.folder / "log" / f"slurmd.{node}.out", "ab") as log:
            process = psutil.Popen(
                ["slurmd", "-D", "-N", node], stdout=log, stderr=log, start_new_session=True
            )
        note = {"name": f"slurmd.{node}", "pid": process.pid, "begun": process.create_time()}
        with open(self.folder / "daemons.jsonl", "a") as file:
            file.write(json.dumps(note) + "\n")
        self.until(lambda: node in self.say("sinfo", "-hN", "-t", "idle", "-o", "%N"))

    def tell_as(self, job: str, state: int) -> None:
        """Has accounting say that a job ended in another state, by SLURM's number for it."""
        self.until(lambda: "Unknown" not in self.say("sacct", "-nPX", "-j", job, "--format=End"))
        order = f"update slurm_acct_db.dev_job_table set state = {state} where id_job = {job}"
        socket = str(self.folder / "run" / "mysql.sock")
        self.say("mariadb", "--no-defaults", "--socket", socket, "--user=root", "--execute", order)

    def ranks(self, job: str) -> list[psutil.Process]:
        """The processes of a job that compute, by rank."""
        found = {}
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                environment = process.environ()
                own = environment.get("SLURM_JOB_ID") == job and "SLURM_PROCID" in environment
                if own and process.name().startswith("python"):
                    found.setdefault(int(environment["SLURM_PROCID"]), process)
        return [found[rank] for rank in sorted(found)]


def up(folder: Path, *flags: str) -> DevCluster:
    done = subprocess.run([*COMMAND, "up", "--folder", folder, *flags], capture_output=True, text=True)
    if done.returncode == 3:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    return DevCluster(folder)


def down(folder: Path) -> None:
    subprocess.run([*COMMAND, "down", "--folder", folder], check=False)


@pytest.fixture(scope="session")
def _session_cluster():
    with tempfile.TemporaryDirectory(prefix="stilts-slurm-", dir="/tmp") as folder:
        yield up(Path(folder), "--cpus", "8", "--memory-gb", "32", "--kill-wait", "2")
        down(Path(folder))


@pytest.fixture
def dev_cluster(_session_cluster, monkeypatch):
    for name in list(os.environ):
        if name.startswith(("SLURM_", "SBATCH_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SLURM_CONF", str(_session_cluster.folder / "etc" / "slurm.conf"))
    assert shutil.which("sbatch")
    yield _session_cluster
    _session_cluster.say("scancel", "--user", str(os.getuid()))
    _session_cluster.until_empty(30)
