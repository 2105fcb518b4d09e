"""How far a run is, line by line, for those who watch it."""

import time

from hpc.files import append_json_line
from stilts.run.folder import RunFolder


class Progress:
    """Tells `progress.jsonl` how far a run is, at most twice a second.

    Args:
        run: whose progress.
        total: where it ends.
        unit: what is counted, such as `steps`.
        writes: whether this process does: one rank of several.
    """

    def __init__(self, run: RunFolder, *, total: int, unit: str, writes: bool = True) -> None:
        self._path = run.progress
        self._total = total
        self._unit = unit
        self._next = 0.0
        self._writes = writes

    def at(self, done: int, note: str = "") -> None:
        """Reports `done` of the total."""
        now = time.monotonic()
        if not self._writes or (now < self._next and done < self._total):
            return
        self._next = now + 0.5
        line = {"unix": time.time(), "done": done, "total": self._total, "unit": self._unit, "note": note}
        append_json_line(self._path, line)
