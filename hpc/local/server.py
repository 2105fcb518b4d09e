"""The fork server: imports what the runs need once, then forks one child for every rank of a node.

Run by `hpc.local.client` in a process of its own. It takes JSON lines `{"do": "start", ...}` and
`{"do": "stop", "grace": seconds}` and answers `ready`, `broken` and `ended`. When the channel closes, the
launcher is gone: every child is killed.
"""

import gc
import importlib
import json
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hpc.jobs import Call
from hpc.local import child, parent_death
from hpc.local.channel import Channel
from hpc.reasons import of_the_machine

SIBLING_GRACE = 10.0


@dataclass(kw_only=True)
class ProcessGroup:
    """The ranks of one node; they end together."""

    name: str
    reports: dict[int, int] = field(default_factory=dict)
    """Process id -> descriptor its error comes from."""
    error: str = ""
    kill_at: float = float("inf")


def main(descriptor: str, parent: str, modules: str) -> None:
    """Preloads, then serves until the channel closes."""
    parent_death.set_signal(int(parent))
    channel = Channel(socket.socket(fileno=int(descriptor)))
    start = time.monotonic()
    try:
        for module in json.loads(modules):
            importlib.import_module(module)
    except Exception as error:
        is_missing = isinstance(error, ImportError) and of_the_machine(error) is not None
        channel.send({"is": "broken", "error": child.one_line(error), "code": 3 if is_missing else 1})
        raise
    if threading.active_count() > 1:
        print("preloading started threads, which do not survive a fork:", threading.enumerate(), flush=True)
    # What is alive now stays alive: the collector need not touch, and so copy, those pages in the children.
    gc.collect()
    gc.freeze()
    server = Server(channel)
    parent_death.clear_signal()
    channel.send({"is": "ready", "seconds": time.monotonic() - start})
    server.serve()


class Server:
    """Starts, watches and ends the children."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._groups: dict[str, ProcessGroup] = {}
        self._wake, self._woken = os.pipe()
        for descriptor in (self._wake, self._woken):
            os.set_blocking(descriptor, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)

    def serve(self) -> None:
        """Until the launcher closes the channel."""
        while True:
            sources: list[Any] = [self._channel, self._wake]
            readable, _, _ = select.select(sources, [], [], self._patience())
            if self._wake in readable:
                with suppress(BlockingIOError):
                    os.read(self._wake, 4096)
            if self._channel in readable:
                messages = self._channel.receive()
                if messages is None:
                    self._signal_all(signal.SIGKILL)
                    return
                for message in messages:
                    self._obey(message)
            self._reap()
            self._kill_overdue()

    def _obey(self, message: dict[str, Any]) -> None:
        if message["do"] == "start":
            self._start(message)
        else:
            self._signal_all(signal.SIGTERM)
            for group in self._groups.values():
                group.kill_at = time.monotonic() + message["grace"]

    def _start(self, message: dict[str, Any]) -> None:
        group = self._groups[message["name"]] = ProcessGroup(name=message["name"])
        for rank in message["ranks"]:
            task = child.Task(
                name=group.name,
                call=Call.from_json(message["call"]),
                log=Path(rank["log"]),
                environment=rank["environment"],
                fresh=message["fresh"],
            )
            self._fork(group, task)

    def _fork(self, group: ProcessGroup, task: child.Task) -> None:
        report, reporter = os.pipe()
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            others = [descriptor for other in self._groups.values() for descriptor in other.reports.values()]
            close = (self._channel.fileno(), self._wake, self._woken, report, *others)
            child.run_in_child(task, parent=server, report=reporter, close=close)
        os.close(reporter)
        with suppress(OSError):
            # Also done by the child: whoever comes first, a kill of the group never misses it.
            os.setpgid(pid, pid)
        group.reports[pid] = report

    def _patience(self) -> float | None:
        nearest = min((group.kill_at for group in self._groups.values()), default=float("inf"))
        return None if nearest == float("inf") else max(0.0, nearest - time.monotonic())

    def _kill_overdue(self) -> None:
        for group in self._groups.values():
            if time.monotonic() >= group.kill_at:
                group.kill_at = float("inf")
                _signal_groups(group.reports, signal.SIGKILL)

    def _signal_all(self, signum: int) -> None:
        for group in self._groups.values():
            _signal_groups(group.reports, signum)

    def _reap(self) -> None:
        for group in list(self._groups.values()):
            for pid in _ended(group.reports):
                # Not yet reaped, so the group's number is still ours: end what the run left behind.
                _signal_groups([pid], signal.SIGKILL)
                _, status = os.waitpid(pid, 0)
                error = _explain(os.waitstatus_to_exitcode(status), _drain(group.reports.pop(pid)))
                if error and not group.error:
                    group.error = error
                    _signal_groups(group.reports, signal.SIGTERM)
                    group.kill_at = min(group.kill_at, time.monotonic() + SIBLING_GRACE)
            if not group.reports:
                del self._groups[group.name]
                with suppress(OSError):
                    self._channel.send({"is": "ended", "name": group.name, "error": group.error})


def _ended(pids: dict[int, int]) -> Iterator[int]:
    for pid in list(pids):
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            yield pid


def _signal_groups(pids: Any, signum: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signum)


def _drain(report: int) -> str:
    os.set_blocking(report, False)
    try:
        return os.read(report, child.REPORT_BYTES).decode(errors="replace")
    except BlockingIOError:
        return ""
    finally:
        os.close(report)


def _explain(code: int, report: str) -> str:
    """The error of a child in one line; empty when it ended well."""
    if code == 0:
        return ""
    if report:
        return report
    if code > 0:
        return f"left with exit code {code}"
    name = signal.Signals(-code).name
    cause = "; most often the machine ran out of memory" if -code == signal.SIGKILL else ""
    return f"killed by {name}{cause}"
