"""However a launcher ends, nothing it started stays behind, and the same plan can be run again."""

import json
import os
import pty
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LAUNCHER = """
import json, sys
from pathlib import Path
from hpc.errors import Stopped
from hpc.jobs import Call, Node, Shape
from hpc.local.executor import LocalExecutor, LocalSettings

path, grace = Path(sys.argv[1]), float(sys.argv[2])
nodes = [
    Node(name=n["name"], call=Call(n["target"], n["arguments"]), needs=tuple(n["needs"]),
         shape=Shape(exclusive=n["exclusive"]), folder=path / "runs" / n["name"])
    for n in json.loads((path / "plan.json").read_text())
    if not (path / "out" / (n["name"] + "-0.json")).exists()
]
left = {n.name for n in nodes}
import dataclasses
nodes = [dataclasses.replace(n, needs=tuple(need for need in n.needs if need in left)) for n in nodes]
executor = LocalExecutor(settings=LocalSettings(workers=2, grace_seconds=grace), preload=("toy_calls",),
                         log=path / "server.log")
try:
    outcome = executor.run(nodes, lambda event: print(event.name, event.state, flush=True))
except Stopped as stopped:
    print("stopped by", stopped.signum, flush=True)
    sys.exit(130)
print("outcome", outcome.ok, flush=True)
"""


@pytest.fixture
def launch(toys):
    """Starts a launcher in a process of its own, on plan.json."""
    started = []

    def start(nodes: list[dict], *, grace: float = 5.0, **streams) -> subprocess.Popen:
        plan = [{"needs": [], "exclusive": False, "arguments": {}} | node for node in nodes]
        (toys.path / "plan.json").write_text(json.dumps(plan))
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(toys.path)])}
        streams = {"stdout": subprocess.PIPE} | streams
        command = [sys.executable, "-c", LAUNCHER, str(toys.path), str(grace)]
        process = subprocess.Popen(command, env=environment, **streams)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def work(toys, name: str, *needs: str, seconds: float = 0.0, exclusive: bool = False) -> dict:
    arguments = {"out": str(toys.out), "name": name, "seconds": seconds}
    node = {"name": name, "target": "toy_calls:work", "arguments": arguments}
    return node | {"needs": needs, "exclusive": exclusive}


def tidy(toys, **arguments) -> dict:
    return {"name": "t", "target": "toy_calls:tidy", "arguments": {"out": str(toys.out), **arguments}}


def test_sigkill_at_any_moment_leaves_nobody_and_the_next_launch_finishes(
    toys, launch, processes_with, eventually
):
    plan = [work(toys, "a", seconds=0.1)]
    plan += [work(toys, f"b{i}", "a", seconds=0.1) for i in range(4)]
    plan += [work(toys, "x", "b0", "b1", seconds=0.1, exclusive=True), work(toys, "z", "x", "b2", "b3")]
    dice = random.Random(7)
    for _ in range(8):
        launcher = launch(plan)
        time.sleep(dice.uniform(0.0, 0.7))
        launcher.send_signal(signal.SIGKILL)
        launcher.wait()
        eventually(lambda: not processes_with(str(toys.path)), 3.0)
        for path in toys.out.glob("*.json"):
            json.loads(path.read_text())
    last = launch(plan)
    assert last.communicate(timeout=20)[0].endswith(b"outcome True\n")
    assert {path.stem for path in toys.out.glob("*.json")} == {f"{node['name']}-0" for node in plan}


def test_sigkill_takes_along_what_runs_have_started(toys, launch, eventually) -> None:
    arguments = {"out": str(toys.out), "seconds": 60.0}
    launcher = launch([{"name": "h", "target": "toy_calls:with_helper", "arguments": arguments}])
    eventually(lambda: (toys.out / "helper").exists() and (toys.out / "helper").read_text())
    launcher.send_signal(signal.SIGKILL)
    eventually(lambda: _gone(int((toys.out / "helper").read_text())))


def test_a_killed_server_takes_its_children_along(toys, launch, processes_with, eventually) -> None:
    launcher = launch([tidy(toys)], stderr=subprocess.PIPE)
    eventually((toys.out / "begun").exists)
    server = next(pid for pid in processes_with("hpc.local.server") if _parent(pid) == launcher.pid)
    os.kill(server, signal.SIGKILL)
    _, errors = launcher.communicate(timeout=10)
    assert b"the process that starts runs has died" in errors
    eventually(lambda: not processes_with(str(toys.path)))


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_a_polite_signal_lets_runs_tidy_up(toys, launch, processes_with, eventually, signum: int) -> None:
    launcher = launch([tidy(toys), work(toys, "later", "t")])
    eventually((toys.out / "begun").exists)
    launcher.send_signal(signum)
    output, _ = launcher.communicate(timeout=10)
    assert output.decode().splitlines() == [
        "t running",
        "t cancelled",
        "later blocked",
        f"stopped by {signum:d}",
    ]
    assert launcher.returncode == 130
    assert (toys.out / "tidied").exists()
    eventually(lambda: not processes_with(str(toys.path)))


def test_a_run_that_ignores_the_signal_is_killed_after_the_grace(toys, launch, eventually) -> None:
    launcher = launch([tidy(toys, stubborn=True)], grace=0.5)
    eventually((toys.out / "begun").exists)
    start = time.monotonic()
    launcher.send_signal(signal.SIGTERM)
    launcher.communicate(timeout=10)
    assert time.monotonic() - start > 0.4
    assert not (toys.out / "tidied").exists()


def test_a_second_signal_does_not_wait_for_the_grace(toys, launch, eventually) -> None:
    launcher = launch([tidy(toys, stubborn=True)], grace=60.0)
    eventually((toys.out / "begun").exists)
    launcher.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert launcher.poll() is None
    launcher.send_signal(signal.SIGINT)
    launcher.communicate(timeout=5)


def test_control_c_on_a_terminal_stops_once_and_cleanly(toys, launch, processes_with, eventually) -> None:
    ours, theirs = pty.openpty()
    launcher = launch(
        [tidy(toys)], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    eventually((toys.out / "begun").exists)
    os.write(ours, b"\x03")
    assert launcher.wait(timeout=10) == 130
    shown = os.read(ours, 4096).decode()
    assert "t cancelled" in shown
    assert "Traceback" not in shown
    assert (toys.out / "tidied").exists()
    eventually(lambda: not processes_with(str(toys.path)))


def test_a_stop_while_imports_still_run_is_immediate(toys, launch, processes_with, eventually) -> None:
    with (toys.path / "toy_calls.py").open("a") as module:
        module.write("\nif 'hpc.local.server' in sys.modules: time.sleep(60)\n")
    launcher = launch([work(toys, "a")])
    eventually(lambda: any(_parent(pid) == launcher.pid for pid in processes_with("hpc.local.server")))
    launcher.send_signal(signal.SIGINT)
    launcher.communicate(timeout=5)
    assert launcher.returncode == 130
    eventually(lambda: not processes_with(str(toys.path)))


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return -1


def _gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def test_a_parent_that_died_before_the_request_is_noticed() -> None:
    program = "from hpc.local.parent_death import set_signal; set_signal({}); print('alive')"
    orphan = subprocess.run(
        [sys.executable, "-c", program.format(1)], cwd=ROOT, capture_output=True, check=False
    )
    assert (orphan.returncode, orphan.stdout) == (137, b"")
    child = subprocess.run(
        [sys.executable, "-c", program.format(os.getpid())], cwd=ROOT, capture_output=True, check=True
    )
    assert child.stdout == b"alive\n"
