import contextlib
import fcntl
import json
import os
import pty
import random
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from hpc.cluster import load_cluster
from hpc.jobs import Outcome
from stilts.launching import others
from stilts.launching.plan import Plan, make_plan
from stilts.study.loading import load_study


def test_two_launches_at_once_do_not_meet(launching, wait_for) -> None:
    launching.order("mnli-s1", seconds=2.0)
    first = launching.apart()
    wait_for(lambda: launching.folder("mnli-s1").lock.exists())
    second = launching.apart("--cluster", "debug")
    _, said = second.communicate(timeout=20)
    assert second.returncode == 2
    assert f"another launch (pid {first.pid} on " in said.decode()
    assert said.decode().count("\n") == 1
    assert first.wait(timeout=20) == 0
    attempts = [path.read_text().splitlines() for path in launching.runs.glob("toys/*/attempts.jsonl")]
    assert [len(lines) for lines in attempts] == [1] * launching.num_runs


def test_a_run_at_work_elsewhere_is_waited_for(launching, capsys, monkeypatch, wait_for) -> None:
    monkeypatch.setattr("stilts.launching.others._DYING_SECONDS", 0.1)
    assert launching.here("--only", "model") == 0

    def work() -> None:
        with launching.folder("mnli-s1").locked():
            at_work.set()
            wait_for(lambda: len(launching.done()) == launching.num_runs - 8)
            time.sleep(0.3)
            before.append(len(launching.done()))

    at_work, before = threading.Event(), []
    other = threading.Thread(target=work)
    other.start()
    at_work.wait()
    assert launching.here() == 0
    other.join()
    assert before == [launching.num_runs - 8]
    assert len(launching.done()) == launching.num_runs
    me = f"pid {os.getpid()} on {socket.gethostname()}"
    said = (
        f"running in another process: mnli-s1 ({me}); waited for once all else is done with 7 runs that need"
    )
    told = capsys.readouterr().err
    assert said in told
    assert f"waiting for mnli-s1 ({me}); Ctrl-C leaves the rest for a later launch\n" in told


def test_where_a_launch_does_not_follow_such_a_run_is_left(launching, capsys) -> None:
    assert launching.here("--only", "model") == 0

    def read() -> Plan:
        study, cluster = load_study(str(launching.study)), load_cluster("local")
        return make_plan(study, "all", only=None, runs=launching.runs, cluster=cluster)

    asked = []
    with launching.folder("mnli-s1").locked():
        plan, _ = others.rounds(
            read(), read, lambda plan: asked.append(plan) or Outcome(states={}), follows=False
        )
    assert asked == [plan]
    assert len(plan.held) == 8
    assert "; left for a later launch with 7 runs that need them\n" in capsys.readouterr().err


def test_what_a_killed_launch_has_not_let_go_of_yet_is_done_again(launching, wait_for) -> None:
    """Its processes end a moment after it: a launch in that moment once left their runs out, with code 0."""
    launching.order("mnli-s1", seconds=30.0)
    first = launching.apart()
    wait_for(lambda: launching.folder("mnli-s1").progress.exists())
    children = Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text(encoding="utf-8")
    (server,) = map(int, children.split())
    os.kill(server, signal.SIGSTOP)  # as on a machine that is slow to end it
    first.kill()
    first.wait()
    launching.order("mnli-s1")
    second = launching.apart()
    time.sleep(2)
    assert launching.folder("mnli-s1").state() == "running"
    os.kill(server, signal.SIGCONT)
    _, said = second.communicate(timeout=60)
    assert second.returncode == 0, said
    assert len(launching.done()) == launching.num_runs


def test_kill_at_any_moment_then_finish(launching, wait_for) -> None:
    dice = random.Random(3)
    for _ in range(4):
        process = launching.apart()
        time.sleep(dice.uniform(0.1, 1.0))
        process.kill()
        process.wait()
        wait_for(lambda: not launching.processes(), 3.0)
        assert all(json.loads(path.read_text()) for path in launching.runs.glob("toys/*/*.json"))
    process = launching.apart()
    assert process.wait(timeout=30) == 0, process.stderr.read()
    assert len(launching.done()) == launching.num_runs


def test_control_c_stops_once_and_the_same_command_goes_on(launching, wait_for) -> None:
    launching.order("mnli-s1", seconds=30.0)
    terminal, process = in_terminal(launching)
    screen = Screen(terminal)
    wait_for(lambda: launching.folder("mnli-s1").lock.exists())
    time.sleep(1.2)
    os.write(terminal, b"\x03")
    assert process.wait(timeout=15) == 130
    shown = screen.text()
    assert "stilts: interrupted; the same command goes on from what is there" in shown
    assert "Traceback" not in shown
    assert "mnli-s1" in shown
    assert "0/4 steps" in shown or "1/4 steps" in shown
    assert "\x1b[?25h" in shown, "the cursor comes back"
    wait_for(lambda: not launching.processes())
    launching.order("mnli-s1")
    assert launching.here() == 0
    assert len(launching.done()) == launching.num_runs


def test_a_pipe_gets_plain_lines_and_may_close(launching, wait_for) -> None:
    process = launching.apart()
    output, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    assert b"\x1b" not in output + errors
    assert b"\r" not in output
    launching.folder("mnli-s1").done.unlink()
    process = launching.apart()
    process.stdout.close()
    assert process.wait(timeout=20) == 128 + signal.SIGPIPE
    assert process.stderr.read() == b""
    wait_for(lambda: not launching.processes())


def in_terminal(launching, *more: str) -> tuple[int, subprocess.Popen]:
    def take_terminal() -> None:
        import termios

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    ours, theirs = pty.openpty()
    process = launching.apart(
        *more, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, preexec_fn=take_terminal
    )
    os.close(theirs)
    return ours, process


class Screen:
    """Reads a terminal all the while: a program that writes to one that nobody reads would wait."""

    def __init__(self, terminal: int) -> None:
        self._terminal, self._data = terminal, b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def text(self) -> str:
        """What has come, once nothing more comes."""
        self._reader.join(timeout=2)
        return self._data.decode()

    def _read(self) -> None:
        # The last process to leave a terminal ends it with an error.
        with contextlib.suppress(OSError):
            while part := os.read(self._terminal, 65536):
                self._data += part
