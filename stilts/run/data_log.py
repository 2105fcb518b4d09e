"""Which data a run reads: noted in its `data.json` as they are read, and refused when they change under it.

with reading_into(folder / "data.json"):
...                          # every set that is chosen anywhere below is noted
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hpc.errors import UserError
from hpc.files import read_json, write_json

_DIGEST = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{20,}\b")


class DataLog:
    """The sets a run has read, with their versions.

    Args:
        path: the file; what an earlier attempt noted there holds.
        writes: whether this process keeps the file: of several ranks the first.
    """

    def __init__(self, path: Path, *, writes: bool = True) -> None:
        self._path, self._writes = path, writes
        self.versions: dict[str, str] = read_data(path)

    def note(self, name: str, version: str) -> None:
        """Notes a set.

        Raises:
            UserError: an earlier attempt of the run read another version of it (code 3).
        """
        known = self.versions.get(name)
        if known == version:
            return
        if known is not None:
            raise UserError(
                f"{name} has changed since this run began to read it ({short(known)} -> {short(version)}): "
                f"restore the data, or delete {self._path.parent} to run it anew",
                code=3,
            )
        self.versions[name] = version
        if self._writes:
            write_json(self._path, self.versions)


_current: DataLog | None = None


@contextmanager
def reading_into(path: Path, *, writes: bool = True) -> Iterator[DataLog]:
    """Has every set that is read meanwhile noted in `path`."""
    global _current
    before, _current = _current, DataLog(path, writes=writes)
    try:
        yield _current
    finally:
        _current = before


def note(task: str, language: str, split: str, version: str) -> None:
    """Notes that a set was chosen to be read; nothing where no run is being carried out."""
    if _current is not None:
        _current.note(f"{task}/{language}/{split}", version)


def read_data(path: Path) -> dict[str, str]:
    """What is noted in a `data.json`: versions by set; empty where nothing was read.

    Raises:
        UserError: the file is damaged.
    """
    try:
        found = read_json(path)
    except FileNotFoundError:
        return {}
    if not isinstance(found, dict) or not all(isinstance(version, str) for version in found.values()):
        raise UserError(f"{path} is damaged: not versions by set", code=3)
    return found


def short(version: str) -> str:
    """A version as messages have it: digests are cut."""
    return _DIGEST.sub(r"\1", version)
