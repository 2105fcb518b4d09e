"""What a launch shows: a live view with bars on a terminal, plain lines everywhere else."""

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol

from hpc.jobs import Event
from stilts.launching.estimate import say_seconds
from stilts.run.folder import RunFolder

_TAIL_BYTES = 4096
_HEARTBEAT_SECONDS = 30.0


class Tally:
    """Counts events and foretells the end.

    Args:
        costs: expected work of each run.
        folder: a run's folder by its id.
    """

    def __init__(self, costs: Mapping[str, float], folder: Callable[[str], RunFolder]) -> None:
        self.total = len(costs)
        self.running: dict[str, float] = {}
        """Run -> when it started."""
        self._since: dict[str, float] = {}
        """Run -> the same on a clock that nobody sets."""
        self._costs = dict(costs)
        self._open = dict(costs)
        self._folder = folder
        self._worked = 0.0
        self._start: float | None = None
        self._over: set[str] = set()

    @property
    def ended(self) -> int:
        """How many are over; one that is tried again is not."""
        return len(self._over)

    def take(self, event: Event) -> float | None:
        """Notes an event; returns the seconds a run took when it ends."""
        steady = _steady(event.unix)
        if event.state == "running":
            self._start = steady if self._start is None else self._start
            self.running[event.name], self._since[event.name] = event.unix, steady
            return None
        if event.state == "waiting":
            self.running.pop(event.name, None)
            self._over.discard(event.name)
            self._open[event.name] = self._costs[event.name]
            return None
        self._over.add(event.name)
        cost = self._open.pop(event.name, 0.0)
        if event.state == "done":
            self._worked += cost
        if self.running.pop(event.name, None) is None:
            return None
        return max(0.0, steady - self._since[event.name])

    def progress(self, run_id: str) -> dict[str, Any]:
        """The newest progress line of the current attempt; empty before its first."""
        line = last_line(self._folder(run_id).progress)
        return line if line.get("unix", 0.0) >= self.running.get(run_id, 0.0) else {}

    def seconds_left(self) -> float | None:
        """Expected time to the end at the pace so far; None while too little is known."""
        if self._start is None:
            return None
        elapsed = time.monotonic() - self._start
        # Copies: the live view asks from a thread of its own.
        begun = sum(self._open.get(run_id, 0.0) * self._share(run_id) for run_id in list(self.running))
        worked = self._worked + begun
        if elapsed < 5 or worked < 0.02 * sum(self._costs.values()):
            return None
        return elapsed * (sum(list(self._open.values())) - begun) / worked

    def _share(self, run_id: str) -> float:
        line = self.progress(run_id)
        return float(line["done"] / line["total"]) if line.get("total") else 0.0


def _steady(unix: float) -> float:
    """A moment just past, or further back, on a clock that nobody sets."""
    return time.monotonic() - max(0.0, time.time() - unix)


def last_line(path: Path) -> dict[str, Any]:
    """The last whole line of a JSON-lines file, without reading the rest of it."""
    with suppress(IndexError, ValueError):
        line: dict[str, Any] = json.loads(_tail(path)[-1])
        return line
    return {}


def seconds_to_end(path: Path) -> float | None:
    """When a run will be through at the pace of its last lines; None while they do not tell."""
    lines = []
    for text in _tail(path):
        # The first may be cut.
        with suppress(ValueError):
            lines.append(json.loads(text))
    with suppress(LookupError, TypeError, ZeroDivisionError):
        last = lines[-1]
        first = next(line for line in lines if line["total"] == last["total"])
        steps = last["done"] - first["done"]
        if steps > 0:
            return float((last["total"] - last["done"]) * (last["unix"] - first["unix"]) / steps)
    return None


def _tail(path: Path) -> list[bytes]:
    try:
        with open(path, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            return file.read().split(b"\n")[:-1]
    except OSError:
        return []


# A running one has its own line while it lasts; of the blocked ones the summary gives the number.
_UNSAID = ("running", "blocked")


class View(Protocol):
    """Shows a launch while its context lasts."""

    def __enter__(self) -> "View": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def watch(self, event: Event) -> None:
        """Takes an event in and shows it."""
        ...


def line_of(event: Event, seconds: float | None, explain: Callable[[Event], str]) -> str:
    """What stays on the screen of an event."""
    if event.state == "done":
        return f"done {event.name}" + (f" in {say_seconds(seconds)}" if seconds is not None else "")
    if event.state == "failed":
        return f"failed {event.name}: {explain(event)}" + (f"; log {event.log}" if event.log else "")
    return f"{event.state} {event.name}" + (f": {event.detail}" if event.detail else "")


class PlainView:
    """One line an ended run, and now and then one about those running; no control characters."""

    def __init__(self, tally: Tally, explain: Callable[[Event], str], out: IO[str]) -> None:
        self._tally = tally
        self._explain = explain
        self._out = out
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> "PlainView":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def watch(self, event: Event) -> None:
        """See `View`."""
        with self._lock:
            seconds = self._tally.take(event)
            if event.state not in _UNSAID:
                self._say(line_of(event, seconds, self._explain))

    def _beat(self) -> None:
        while not self._ended.wait(_HEARTBEAT_SECONDS):
            with self._lock, suppress(OSError):
                at_work = ", ".join(self._place(run_id) for run_id in self._tally.running)
                left = self._tally.seconds_left()
                about = f"; about {say_seconds(left)} left" if left is not None else ""
                self._say(f"running: {at_work or 'starting'}{about}")

    def _place(self, run_id: str) -> str:
        line = self._tally.progress(run_id)
        return f"{run_id} {line['done']}/{line['total']} {line['unit']}" if line.get("total") else run_id

    def _say(self, text: str) -> None:
        width = len(str(self._tally.total))
        print(f"[{self._tally.ended:>{width}}/{self._tally.total}] {text}", file=self._out, flush=True)
