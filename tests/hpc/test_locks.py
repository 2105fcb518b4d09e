"""Locks with flock, and on a file system that refuses it: Lustre without the option, some NFS mounts."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hpc.files import Held, is_locked, lock

ROOT = Path(__file__).parents[2]
NO_LOCKS = """
import fcntl

def flock(handle, kind):
    raise OSError({code}, "no locks on this file system")

fcntl.flock = flock
"""
HOLDER = """
import sys, time
from pathlib import Path
from hpc.files import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
print("let go", flush=True)
"""


@pytest.fixture(params=["flock", "ENOSYS", "ENOLCK"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """An environment whose Python has flock, or has none."""
    places = [str(ROOT)]
    if request.param != "flock":
        code = getattr(errno, request.param)
        (tmp_path / "site").mkdir()
        (tmp_path / "site" / "sitecustomize.py").write_text(NO_LOCKS.format(code=code), encoding="utf-8")
        places.insert(0, str(tmp_path / "site"))
    return os.environ | {"PYTHONPATH": ":".join(places)}


def holder(path: Path, environment: dict[str, str], *, seconds: float = 60.0) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), str(seconds)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


HEAD = "import sys; from pathlib import Path; from hpc.files import *; path = Path(sys.argv[1])\n"


def ask(code: str, path: Path, environment: dict[str, str]) -> str:
    program = HEAD + code
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


TAKE = """
try:
    with lock(path):
        print("taken")
except Held as held:
    print("held by", held)
"""


def test_a_second_process_is_refused_and_told_by_whom(environment, tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = holder(path, environment)
    assert ask(TAKE, path, environment).startswith(f"held by pid {first.pid} on ")
    assert ask("print(is_locked(path))", path, environment) == "True"
    first.kill()
    first.wait()
    assert ask("print(is_locked(path))", path, environment) == "False"
    assert ask(TAKE, path, environment) == "taken", "a holder that was killed holds nothing"


def test_whoever_waits_gets_it_when_it_is_let_go(environment, tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = holder(path, environment, seconds=0.6)
    began = time.monotonic()
    assert ask(TAKE.replace("lock(path)", "lock(path, patience=20)"), path, environment) == "taken"
    assert time.monotonic() - began < 15
    assert first.wait() == 0
    assert [name for name in os.listdir(tmp_path) if name.startswith(".lock")] == []


def test_many_at_once_are_never_two(environment, tmp_path: Path) -> None:
    """Each adds one to a number in a file, reading and writing apart."""
    path, number = tmp_path / "lock", tmp_path / "number"
    number.write_text("0", encoding="utf-8")
    program = (
        "import sys, time; from pathlib import Path; from hpc.files import lock\n"
        "for _ in range(5):\n"
        "    with lock(Path(sys.argv[1]), patience=60):\n"
        "        value = int(Path(sys.argv[2]).read_text()); time.sleep(0.01)\n"
        "        Path(sys.argv[2]).write_text(str(value + 1))\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program, str(path), str(number)], env=environment)
        for _ in range(4)
    ]
    assert [process.wait(timeout=90) for process in processes] == [0] * 4
    assert number.read_text(encoding="utf-8") == "20"


def test_a_lock_of_a_killed_process_is_taken_over_by_one_only(environment, tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = holder(path, environment)
    first.send_signal(signal.SIGKILL)
    first.wait()
    program = TAKE.replace('print("taken")', 'print("taken", flush=True); import time; time.sleep(2)')
    rivals = [
        subprocess.Popen(
            [sys.executable, "-c", HEAD + program, str(path)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        for _ in range(4)
    ]
    said = [rival.communicate(timeout=60)[0] for rival in rivals]
    assert sum("taken" in one for one in said) == 1, said


def test_a_symbolic_link_is_never_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine", encoding="utf-8")
    (tmp_path / "lock").symlink_to(precious)
    with pytest.raises(OSError, match="symbolic link"), lock(tmp_path / "lock"):
        pass
    assert precious.read_text(encoding="utf-8") == "mine"


def test_an_owner_on_another_host_is_alive_while_it_is_heard_of(tmp_path: Path, monkeypatch) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr("fcntl.flock", no_locks)
    path, owner = tmp_path / "lock", tmp_path / ".lock.owner"
    path.touch()
    owner.write_text('{"host": "elsewhere", "pid": 1, "start": "5", "token": "a"}', encoding="utf-8")
    assert is_locked(path)
    with pytest.raises(Held, match="pid 1 on elsewhere"), lock(path):
        pass
    silent = time.time() - 1000
    os.utime(owner, (silent, silent))
    assert not is_locked(path)
    with lock(path):
        assert is_locked(path)
    assert not is_locked(path)
