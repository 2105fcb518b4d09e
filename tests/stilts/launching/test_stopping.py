import contextlib
import fcntl
import json
import os
import pty
import random
import signal
import subprocess
import threading
import time


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


def test_a_run_at_work_elsewhere_is_left_alone(launching, capsys) -> None:
    assert launching.here("--only", "model") == 0
    with launching.folder("mnli-s1").locked():
        assert launching.here() == 0
        shown = capsys.readouterr()
        assert "running in another process: mnli-s1; 7 runs that need them are left" in shown.err
    assert len(launching.done()) == launching.num_runs - 8
    assert launching.here() == 0
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
