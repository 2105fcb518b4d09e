"""Starts the daemons of a private SLURM, each once the one before answers, and ends them."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from configuration import Wishes, node_names

from hpc.errors import UserError

_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_CGROUPS = Path("/sys/fs/cgroup")
_SHM = Path("/dev/shm")
_SHM_BYTES = 400e6
_PROGRAMS = (
    "munged",
    "munge",
    "unmunge",
    "mariadbd",
    "mariadb-install-db",
    "mariadb",
    "slurmdbd",
    "sacctmgr",
    "slurmctld",
    "scontrol",
    "slurmd",
    "sinfo",
)
_SQL = """create database slurm_acct_db;
create user slurm@localhost identified by 'slurm';
grant all on slurm_acct_db.* to slurm@localhost;"""


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """A process of the cluster, known by its number and when it began."""

    name: str
    pid: int
    begun: float


class Daemons:
    """The processes of the cluster in `folder`.

    Args:
        folder: where its files lie, as `write_configuration` made them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._list = folder / "daemons.jsonl"
        self._run = folder / "run"
        self._environment = os.environ | {
            "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin",
            "SLURM_CONF": str(folder / "etc" / "slurm.conf"),
            # SQL goes through a socket of its own: no port.
            "MYSQL_UNIX_PORT": str(self._run / "mysql.sock"),
        }

    def refuse_what_cannot_run(self, packages: str) -> None:
        """Refuses to start what is not installed, or cannot run here.

        Raises:
            UserError: what is missing, and the packages that have it (code 3).
        """
        path = self._environment["PATH"]
        missing = [name for name in _PROGRAMS if shutil.which(name, path=path) is None]
        if missing:
            raise UserError(
                f"not installed: {', '.join(missing)}; on Debian: "
                f"apt-get install --no-install-recommends {packages}",
                code=3,
            )
        if not os.path.ismount(_CGROUPS):
            raise UserError(
                f"nothing is mounted on {_CGROUPS}, without which slurmd does not start: "
                f"mount -t cgroup2 none {_CGROUPS}",
                code=3,
            )

    def start(self, wishes: Wishes) -> None:
        """Starts everything.

        Raises:
            UserError: a daemon ended or does not answer, with the end of its log.
        """
        self._start_munge()
        self._start_database()
        self._start("slurmdbd", ["slurmdbd", "-D"])
        self._until("slurmdbd", self._answers(["sacctmgr", "-n", "show", "cluster"]))
        if wishes.max_submit:
            self._limit(wishes)
        self._start("slurmctld", ["slurmctld", "-D"])
        self._until("slurmctld", lambda: "is UP" in self._say(["scontrol", "ping"]))
        names = node_names(wishes)
        for name in names:
            self._start(f"slurmd.{name}", ["slurmd", "-D", "-N", name])
        idle = ["sinfo", "-h", "-N", "-p", "main", "-t", "idle", "-o", "%N"]
        self._until(f"slurmd.{names[-1]}", lambda: len(self._say(idle).split()) == len(names))

    def known(self) -> list[Daemon]:
        """All that were started, in that order."""
        with suppress(FileNotFoundError):
            return [Daemon(**json.loads(line)) for line in self._list.read_text().splitlines()]
        return []

    def alive(self) -> list[Daemon]:
        """Those that still run."""
        return [one for one in self.known() if _process(one) is not None]

    def stop(self) -> bool:
        """Ends all, jobs first; returns whether anything ran."""
        alive = self.alive()
        if any(one.name == "slurmctld" for one in alive):
            self._say(["scancel", "--user", str(os.getuid())])
            end = time.monotonic() + 5
            while self._say(["squeue", "--noheader"]).strip() and time.monotonic() < end:
                time.sleep(0.1)
        for one in reversed(alive):
            _end(one)
        shutil.rmtree(self._database(), ignore_errors=True)
        self._list.unlink(missing_ok=True)
        return bool(alive)

    def _start_munge(self) -> None:
        socket, log = self._run / "munge.sock", self._folder / "log" / "munged.log"
        given = {
            "key-file": self._folder / "etc" / "munge.key",
            "socket": socket,
            "pid-file": self._run / "munged.pid",
            "log-file": log,
            "seed-file": self._run / "munged.seed",
        }
        # A folder above may be writable for all, as /tmp is.
        line = ["munged", "--foreground", "--force", *(f"--{name}={value}" for name, value in given.items())]
        self._start("munged", line)
        self._until("munged", self._answers(["sh", "-c", f"munge -n -S {socket} | unmunge -S {socket}"]))

    def _start_database(self) -> None:
        data, user = self._database(), self._say(["id", "-un"]).strip()
        socket = self._run / "mysql.sock"
        sizes = ["--innodb-log-file-size=8M", "--innodb-buffer-pool-size=32M"]
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(mode=0o700)
        common = ["--no-defaults", f"--datadir={data}", f"--user={user}", *sizes]
        self._must(
            ["mariadb-install-db", *common, "--auth-root-authentication-method=normal", "--skip-test-db"]
        )
        settings = {
            "socket": socket,
            "pid-file": self._run / "mysql.pid",
            "max-connections": 30,
            "innodb-flush-log-at-trx-commit": 0,
            "innodb-flush-method": "nosync",
            "innodb-lock-wait-timeout": 900,
            "performance-schema": "OFF",
        }
        given = [f"--{name}={value}" for name, value in settings.items()]
        self._start(
            "mariadbd", ["mariadbd", *common, *given, "--skip-networking", "--skip-innodb-doublewrite"]
        )
        ask = ["mariadb", "--no-defaults", "-S", str(socket), "-u", "root", "-e"]
        self._until("mariadbd", self._answers([*ask, "select 1"]))
        self._must([*ask, _SQL])

    def _database(self) -> Path:
        """In memory where there is room: the database waits for the disk more than for anything else."""
        shared = _SHM / f"{self._folder.name}-data"
        if shared.is_dir() or (_SHM.is_dir() and shutil.disk_usage(_SHM).free > _SHM_BYTES):
            return shared
        return self._folder / "data"

    def _limit(self, wishes: Wishes) -> None:
        user = self._say(["id", "-un"]).strip()
        limit = f"MaxSubmitJobs={wishes.max_submit}"
        self._say(["sacctmgr", "-i", "add", "cluster", "dev"])
        self._must(["sacctmgr", "-i", "add", "account", "dev"])
        self._say(["sacctmgr", "-i", "add", "user", user, "account=dev"])
        self._must(["sacctmgr", "-i", "modify", "user", user, "set", "DefaultAccount=dev", limit])

    def _start(self, name: str, line: Sequence[str]) -> None:
        with open(self._folder / "log" / f"{name}.out", "ab") as log:
            process = subprocess.Popen(
                line,
                env=self._environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        begun = psutil.Process(process.pid).create_time()
        with open(self._list, "a", encoding="utf-8") as file:
            file.write(json.dumps({"name": name, "pid": process.pid, "begun": begun}) + "\n")

    def _until(self, name: str, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + _START_SECONDS
        while not holds():
            alive = any(one.name == name for one in self.alive())
            if not alive or time.monotonic() > end:
                what = "does not answer" if alive else "has ended"
                raise UserError(f"{name} {what}: {self._last_words(name)}", code=1)
            time.sleep(0.05)

    def _last_words(self, name: str) -> str:
        lines = [
            line
            for path in sorted((self._folder / "log").glob(f"{name}*"))
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
        ]
        return " / ".join(lines) or f"its log in {self._folder / 'log'} is empty"

    def _answers(self, line: Sequence[str]) -> Callable[[], bool]:
        return lambda: self._call(line).returncode == 0

    def _say(self, line: Sequence[str]) -> str:
        return self._call(line).stdout

    def _must(self, line: Sequence[str]) -> None:
        done = self._call(line)
        if done.returncode:
            raise UserError(f"{line[0]} failed: {(done.stderr or done.stdout).strip()[-500:]}", code=1)

    def _call(self, line: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        environment: Mapping[str, str] = self._environment
        return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60)


def _process(one: Daemon) -> psutil.Process | None:
    """The process, if it is still that one."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(one.pid)
        same = abs(process.create_time() - one.begun) < 1
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    return None


def _end(one: Daemon) -> None:
    process = _process(one)
    if process is None:
        return
    with suppress(psutil.NoSuchProcess):
        process.terminate()
        end = time.monotonic() + _STOP_SECONDS
        # One that ended may stay a zombie for ever: its parent has left.
        while _process(one) is not None and time.monotonic() < end:
            time.sleep(0.05)
        if _process(one) is not None:
            process.kill()
