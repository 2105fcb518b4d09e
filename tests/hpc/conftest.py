import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hpc.jobs import Call, Event, Node, Shape
from hpc.local.executor import LocalExecutor, LocalSettings

TOY = """
import json, os, subprocess, sys, threading, time
from pathlib import Path

def work(out, name, seconds=0.0, fail=""):
    begin = time.time()
    time.sleep(seconds)
    if fail:
        raise RuntimeError(fail)
    record = {"begin": begin, "end": time.time(), "environment": dict(os.environ), "pid": os.getpid(),
              "executable": "toy_calls" in sys.modules, "argv": sys.argv}
    whole = Path(out) / f"{name}-{os.environ.get('RANK', '0')}.json"
    part = whole.with_suffix(".part")
    part.write_text(json.dumps(record))
    part.rename(whole)

def leave(code):
    sys.exit(code)

def die():
    os.kill(os.getpid(), 9)

def with_helper(out, seconds):
    helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (Path(out) / "helper").write_text(str(helper.pid))
    time.sleep(seconds)

def tidy(out, stubborn=False):
    import signal
    if stubborn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    (Path(out) / "begun").touch()
    try:
        time.sleep(60)
    finally:
        (Path(out) / "tidied").touch()

def one_rank_fails(out):
    if os.environ["RANK"] == "1":
        raise RuntimeError("rank 1 gave up")
    tidy(out)
"""


class Toys:
    """Nodes that call a module made for the test, and an executor that runs them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.out = path / "out"
        self.out.mkdir()
        self.events: list[Event] = []

    def node(
        self, name: str, *needs: str, function: str = "work", shape: Shape | None = None, **arguments
    ) -> Node:
        if function == "work":
            arguments |= {"out": str(self.out), "name": name}
        call = Call(f"toy_calls:{function}", arguments)
        return Node(
            name=name, call=call, needs=needs, shape=shape or Shape(), folder=self.path / "runs" / name
        )

    def executor(self, **settings) -> LocalExecutor:
        settings = {"workers": 2, "grace_seconds": 2.0} | settings
        return LocalExecutor(
            settings=LocalSettings(**settings), preload=("toy_calls",), log=self.path / "server.log"
        )

    def run(self, *nodes: Node, **settings):
        return self.executor(**settings).run(nodes, self.events.append)


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toys:
    (tmp_path / "toy_calls.py").write_text(TOY)
    monkeypatch.syspath_prepend(str(tmp_path))
    return Toys(tmp_path)


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool], float], None]:
    def wait(condition: Callable[[], bool], seconds: float = 10.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "the condition never came true"
            time.sleep(0.02)

    return wait


@pytest.fixture
def processes_with() -> Callable[[str], list[int]]:
    """Process ids whose command line or environment holds a text, ourselves left out."""

    def find(text: str) -> list[int]:
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit() or int(folder.name) == subprocess.os.getpid():
                continue
            try:
                content = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
            except OSError:
                continue
            if text.encode() in content:
                found.append(int(folder.name))
        return found

    assert sys.platform == "linux"
    return find
