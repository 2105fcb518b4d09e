"""A rank that hangs ends the job, with its name and place, instead of a time limit hours later.

    with Heartbeat(folder, rank=rank, world_size=ranks, patience=1200, tell=write_reason) as heart:
        for batch in batches:
            heart.beat()
            step(batch)

Ranks wait for each other in every step, so one that hangs stops all. Each writes down now and then how far it
is and whether it waits for others; when nobody has moved for as long as `patience`, these notes tell who is
the cause: one whose notes stopped, else one that is behind, else one that does not wait for others.
"""

import faulthandler
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from hpc.ending import leave
from hpc.files import write_json_often

_LONGEST_PAUSE = 30.0
_WAITING = os.path.join("torch", "distributed")


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """What a rank has written down last."""

    ticks: int
    """Grows as long as the process runs."""
    beats: int
    """Grows as long as it works."""
    waits: bool
    """For other ranks."""
    host: str
    place: str
    """Of the innermost of its own functions."""


class Heartbeat:
    """Watches the ranks of a job while entered; a process alone is not watched.

    Args:
        folder: that all ranks share; emptied at the end.
        rank: this process.
        world_size: of how many.
        patience: seconds without a step after which the job is ended.
        tell: is given the reason before the process ends with code 1.
    """

    def __init__(
        self, folder: Path, *, rank: int, world_size: int, patience: float, tell: Callable[[str], None]
    ) -> None:
        self._folder = folder
        self._rank = rank
        self._world_size = world_size
        self._patience = patience
        self._tell = tell
        self._pause = min(patience / 10, _LONGEST_PAUSE)
        self._beats = 0
        self._main = threading.main_thread().ident or 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="heartbeat", daemon=True)

    def __enter__(self) -> "Heartbeat":
        if self._world_size > 1:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._path(self._rank).unlink(missing_ok=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        with suppress(OSError):
            self._path(self._rank).unlink(missing_ok=True)
            self._folder.rmdir()

    def beat(self) -> None:
        """Says that this rank has moved."""
        self._beats += 1

    def _path(self, rank: int) -> Path:
        return self._folder / f"{rank}.json"

    def _watch(self) -> None:
        ticks, moved = 0, Moves(self._world_size)
        while not self._over.wait(self._pause):
            ticks += 1
            frame = sys._current_frames().get(self._main)
            own = Note(
                ticks=ticks,
                beats=self._beats,
                waits=_is_waiting(frame),
                host=socket.gethostname(),
                place=_place(frame),
            )
            with suppress(OSError):
                write_json_often(self._path(self._rank), {name: getattr(own, name) for name in own.__slots__})
            moved.take({rank: self._read(rank) for rank in range(self._world_size)}, time.monotonic())
            reason, culprits = moved.verdict(time.monotonic(), self._patience)
            # The rank that hangs speaks first if it can: it is the one to show where.
            patience = self._patience + (0 if self._rank in culprits else 2 * self._pause)
            if reason and moved.still(time.monotonic()) > patience:
                self._tell(reason)
                print(reason, file=sys.stderr)
                faulthandler.dump_traceback(all_threads=True)
                leave(1)

    def _read(self, rank: int) -> Note | None:
        with suppress(OSError, ValueError, TypeError):
            return Note(**json.loads(self._path(rank).read_text(encoding="utf-8")))
        return None


class Moves:
    """When each rank was last seen to run, and to work."""

    def __init__(self, world_size: int) -> None:
        self._notes: dict[int, Note] = {}
        self._ran = dict.fromkeys(range(world_size), time.monotonic())
        self._worked = dict(self._ran)

    def take(self, notes: dict[int, Note | None], now: float) -> None:
        """Takes the notes of a moment in."""
        for rank, note in notes.items():
            before = self._notes.get(rank)
            if note is None:
                continue
            if before is None or note.ticks != before.ticks:
                self._ran[rank] = now
            if before is None or note.beats != before.beats:
                self._worked[rank] = now
            self._notes[rank] = note

    def still(self, now: float) -> float:
        """Seconds since any rank worked."""
        return now - max(self._worked.values())

    def verdict(self, now: float, patience: float) -> tuple[str, set[int]]:
        """Why the job hangs and the ranks at fault; an empty reason while it does not."""
        if self.still(now) <= patience:
            return "", set()
        silent = {rank for rank, when in self._ran.items() if now - when > patience / 2}
        if silent:
            return f"{self._named(silent)} no longer answered: stopped, or its machine is lost", silent
        fewest = min(note.beats for note in self._notes.values())
        behind = {rank for rank, note in self._notes.items() if note.beats == fewest}
        active = {rank for rank, note in self._notes.items() if not note.waits}
        everyone = set(self._notes)
        culprits = next((one for one in (behind, active, everyone) if one and one != everyone), everyone)
        places = sorted({self._notes[rank].place for rank in culprits})
        who = "all ranks" if culprits == everyone else self._named(culprits)
        return f"{who} made no step for {patience / 60:.3g} minutes, in {', '.join(places)}", culprits

    def _named(self, ranks: set[int]) -> str:
        names = ", ".join(map(str, sorted(ranks)))
        hosts = sorted({self._notes[rank].host for rank in ranks if rank in self._notes})
        where = f" on {', '.join(hosts)}" if hosts else ""
        return f"rank{'s' if len(ranks) > 1 else ''} {names}{where}"


def _is_waiting(frame: FrameType | None) -> bool:
    while frame is not None:
        if _WAITING in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


def _place(frame: FrameType | None) -> str:
    """The innermost line that is no library's."""
    while frame is not None:
        path = frame.f_code.co_filename
        if "site-packages" not in path and os.sep in path and not path.startswith(sys.base_prefix):
            return f"{os.path.basename(path)}:{frame.f_lineno} ({frame.f_code.co_name})"
        frame = frame.f_back
    return "an unknown place"
