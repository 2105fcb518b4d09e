"""What every attempt of a run spent, by what it was spent on, also where the attempt was killed.

    with keeping(folder / "attempts", ranks=2):
        with spending("data"):
            ...                           # outside of any span it is start-up

Each attempt has a file of its own, written anew every fifth of a second at first and then ever less often: a
kill takes about one per cent from it.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from hpc import energy
from hpc.files import listing, read_json, write_json_often
from hpc.settings import decode

Kind = Literal["start-up", "data", "training", "evaluation", "checkpoint", "waiting", "work"]
"""`waiting`: for the other ranks; `work`: all of a stage that trains nothing."""

_FASTEST_BEAT, _SLOWEST_BEAT = 0.2, 10.0
_BEAT_SHARE = 0.02
"""Seconds between two writings, over those that have passed."""
_ENERGY_SECONDS = 10.0
_USEFUL: tuple[Kind, ...] = ("training", "evaluation")
"""What an attempt does for nothing from its last checkpoint on."""


@dataclass(kw_only=True)
class Attempt:
    """One attempt of a run; times are wall seconds of its first rank."""

    began_unix: float
    """When its process began, or the copy that was made of one."""
    ranks: int = 1
    seconds: dict[str, float] = field(default_factory=dict)
    """By `Kind`."""
    cpu_seconds: float = 0.0
    committed: dict[str, float] = field(default_factory=dict)
    """Useful seconds of this attempt up to each checkpoint, by its place in the run."""
    resumed: int = 0
    """Place in the run where it went on."""
    energy_j: float | None = None
    """Of the devices and processors whose counters can be read, other processes' share included; None on
    several ranks."""

    @property
    def useful(self) -> float:
        """Seconds of training and dev evaluation."""
        return sum(self.seconds.get(kind, 0.0) for kind in _USEFUL)

    @property
    def wall(self) -> float:
        """Seconds in all."""
        return sum(self.seconds.values())


class Ledger:
    """The running attempt.

    Args:
        folder: of all attempts of the run.
        ranks: processes of the attempt.
    """

    def __init__(self, folder: Path, *, ranks: int) -> None:
        self.attempt = Attempt(began_unix=_process_began(), ranks=ranks)
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{1 + len(listing(folder, '*.json')):04d}.json"
        self._lock = threading.Lock()
        self._kinds: list[Kind] = ["start-up"]
        self._counters = energy.counters()
        self._next_energy = 0.0
        # Before this program was asked: loading what it needs.
        self.attempt.seconds["start-up"] = max(0.0, time.time() - self.attempt.began_unix)
        self._since = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._write()
        self._thread.start()

    def enter(self, kind: Kind) -> None:
        """From here on time is spent on that."""
        with self._lock:
            self._count()
            self._kinds.append(kind)

    def leave(self) -> None:
        """Back to what it was spent on before."""
        with self._lock:
            self._count()
            self._kinds.pop()

    def move(self, seconds: float, *, to: Kind) -> None:
        """Says of the last `seconds` of the current kind that they were spent on another."""
        with self._lock:
            self._count()
            book, kind = self.attempt.seconds, self._kinds[-1]
            moved = min(seconds, book.get(kind, 0.0))
            book[kind] = book.get(kind, 0.0) - moved
            book[to] = book.get(to, 0.0) + moved

    def commit(self, place: int) -> None:
        """What was done up to `place` is saved."""
        with self._lock:
            self._count()
            self.attempt.committed[str(place)] = self.attempt.useful
        self._write()

    def close(self) -> None:
        """Writes the last figures."""
        self._ended.set()
        self._thread.join()
        self._next_energy = 0.0
        self._write()

    def _count(self) -> None:
        now = time.monotonic()
        kind = self._kinds[-1]
        self.attempt.seconds[kind] = self.attempt.seconds.get(kind, 0.0) + now - self._since
        self._since = now

    def _beat(self) -> None:
        while not self._ended.wait(self._pause()):
            with suppress(OSError):
                self._write()

    def _pause(self) -> float:
        passed = time.time() - self.attempt.began_unix
        return min(max(_BEAT_SHARE * passed, _FASTEST_BEAT), _SLOWEST_BEAT)

    def _write(self) -> None:
        with self._lock:
            self._count()
            self.attempt.cpu_seconds = time.process_time()
            if self._counters and time.monotonic() >= self._next_energy:
                self._next_energy = time.monotonic() + _ENERGY_SECONDS
                # Of several ranks the first knows its own devices alone: no number rather than a part of it.
                self.attempt.energy_j = energy.since(self._counters) if self.attempt.ranks == 1 else None
            said = asdict(self.attempt)
            write_json_often(self._path, said)


_current: Ledger | None = None


@contextmanager
def keeping(folder: Path, *, ranks: int, writes: bool = True) -> Iterator[None]:
    """Keeps the ledger of an attempt; `writes`: in this process, of several ranks the first."""
    global _current
    before = _current
    _current = Ledger(folder, ranks=ranks) if writes else None
    try:
        yield
    finally:
        if _current is not None:
            _current.close()
        _current = before


@contextmanager
def spending(kind: Kind) -> Iterator[None]:
    """Time within is spent on that; nothing where no ledger is kept."""
    ledger = _current
    if ledger is None:
        yield
        return
    ledger.enter(kind)
    try:
        yield
    finally:
        ledger.leave()


def waited(seconds: float) -> None:
    """Of what the current span took, so much was waiting for other ranks."""
    if _current is not None:
        _current.move(seconds, to="waiting")


def committed(place: int) -> None:
    """What was done up to `place` is saved."""
    if _current is not None:
        _current.commit(place)


def resumed(place: int) -> None:
    """The attempt goes on from `place`."""
    if _current is not None:
        _current.attempt.resumed = place


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """What all attempts of a run spent, in seconds times ranks."""

    attempts: int
    seconds: dict[str, float]
    """By `Kind`, and `lost`: training and dev evaluation that a later attempt did again."""
    cpu_seconds: float
    energy_j: float | None

    @property
    def total(self) -> float:
        """Device-seconds in all."""
        return sum(self.seconds.values())


def read(folder: Path) -> list[Attempt]:
    """The attempts of a run, oldest first; the running one too.

    Raises:
        UserError: a file is damaged.
    """
    return [decode(Attempt, read_json(path), str(path)) for path in listing(folder, "*.json")]


def spent(folder: Path) -> Spent:
    """Adds up the attempts of a run, the running one with what it has spent so far."""
    if _current is not None:
        _current._write()
    attempts = read(folder)
    seconds: dict[str, float] = {}
    for number, attempt in enumerate(attempts):
        book: dict[str, float] = dict(attempt.seconds)
        if number + 1 < len(attempts):
            kept = attempt.useful if attempt.useful == 0 else _kept(attempt, attempts[number + 1].resumed)
            share = 1 - kept / attempt.useful if attempt.useful else 0.0
            book["lost"] = attempt.useful - kept
            for kind in _USEFUL:
                book[kind] = book.get(kind, 0.0) * (1 - share)
        for name, value in book.items():
            seconds[name] = seconds.get(name, 0.0) + value * attempt.ranks
    energies = [one.energy_j for one in attempts if one.energy_j is not None]
    return Spent(
        attempts=len(attempts),
        seconds=seconds,
        cpu_seconds=sum(one.cpu_seconds for one in attempts),
        energy_j=sum(energies) if len(energies) == len(attempts) and energies else None,
    )


def _kept(attempt: Attempt, resumed_at: int) -> float:
    """Useful seconds of an attempt that the next one built on."""
    places = attempt.committed.items()
    return max((useful for place, useful in places if int(place) <= resumed_at), default=0.0)


def _process_began() -> float:
    """When the kernel made this process, on the clock of `time.time`."""
    try:
        stat = Path("/proc/self/stat").read_text(encoding="utf-8")
        ticks = float(stat.rpartition(")")[2].split()[19])
        with open("/proc/uptime", encoding="utf-8") as file:
            uptime = float(file.read().split()[0])
        return time.time() - (uptime - ticks / os.sysconf("SC_CLK_TCK"))
    except (OSError, ValueError, IndexError):
        return time.time()


def as_columns(spent_: Spent) -> dict[str, Any]:
    """The ledger's columns of a training record."""
    kinds = ("start-up", "data", "training", "evaluation", "checkpoint", "waiting", "lost")
    return {
        "attempts": spent_.attempts,
        "total_seconds": spent_.total,
        **{f"{kind.replace('-', '')}_seconds": spent_.seconds.get(kind, 0.0) for kind in kinds},
        "energy_j": spent_.energy_j,
    }
