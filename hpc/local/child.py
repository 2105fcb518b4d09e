"""What a child of the fork server does: cut its ties to the server, make one call, report, leave."""

import faulthandler
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from hpc.ending import leave
from hpc.errors import Stopped
from hpc.jobs import Call
from hpc.local import parent_death
from hpc.reasons import of_the_machine

INTERNAL_ERROR = 70
REPORT_BYTES = 2000
BOOTSTRAP = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from {module} import main; main(*sys.argv[2:])"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One rank of a node, as the server hands it to the child."""

    name: str
    call: Call
    log: Path
    environment: Mapping[str, str]
    fresh: bool
    """In a new interpreter instead of a copy of the server's."""


def run_in_child(task: Task, *, parent: int, report: int, close: tuple[int, ...]) -> NoReturn:
    """Turns a just forked process into the run; never returns.

    Args:
        task: what to do.
        parent: the server's process id.
        report: descriptor that takes the one-line error.
        close: the server's own descriptors.
    """
    code = INTERNAL_ERROR
    try:
        _cut_ties(close)
        parent_death.set_signal(parent)
        _redirect(task)
        os.environ.update(task.environment)
        if task.fresh:
            os.set_inheritable(report, True)
            arguments = [json.dumps(sys.path), json.dumps(task.call.as_json()), str(report)]
            bootstrap = BOOTSTRAP.format(module="hpc.local.child")
            os.execv(sys.executable, [sys.executable, "-c", bootstrap, *arguments])
        code = execute(task.call, report)
    except BaseException as error:
        traceback.print_exc()
        _report(report, error)
    finally:
        # The exit functions belong to the server this process was copied from.
        leave(code)


def main(call: str, report: str) -> NoReturn:
    """The fresh interpreter's way in."""
    leave(execute(Call.from_json(json.loads(call)), int(report)))


def execute(call: Call, report: int) -> int:
    """Makes the call; a failure is printed in full and reported in one line. Returns the exit code."""
    faulthandler.enable()
    sys.argv = [call.target, json.dumps(dict(call.arguments))]
    signal.signal(signal.SIGTERM, _unwind)
    try:
        call.run()
    except Stopped as stopped:
        print("# stopped by a signal; what was saved is kept", flush=True)
        return 128 + stopped.signum
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException as error:
        traceback.print_exc()
        _report(report, error)
        return 1
    return 0


def _report(report: int, error: BaseException) -> None:
    os.write(report, one_line(error).encode()[:REPORT_BYTES])


def one_line(error: BaseException) -> str:
    """The error as people want it in a list: its class and its first line."""
    told = of_the_machine(error)
    if told is not None:
        return told
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


def _cut_ties(close: tuple[int, ...]) -> None:
    """A process group of its own, so that what the run starts can be ended with it, and default signals."""
    os.setpgid(0, 0)
    signal.set_wakeup_fd(-1)
    for signum in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_DFL)
    for descriptor in close:
        os.close(descriptor)
    parent_death.raise_oom_score()


def _redirect(task: Task) -> None:
    task.log.parent.mkdir(parents=True, exist_ok=True)
    log = os.open(task.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(log)
    os.close(null)
    print(f"# {task.name}, process {os.getpid()}, {time.strftime('%Y-%m-%d %H:%M:%S')}", flush=True)


def _unwind(signum: int, _: FrameType | None) -> None:
    """Leaves through the `finally` blocks, so that temporary files go."""
    signal.signal(signum, signal.SIG_IGN)
    raise SystemExit(128 + signum)
