"""Folders that are either whole or not there, also with several builders at once and after a kill."""

import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yields a new folder beside `path`, which takes the place of `path` on a clean exit.

    What killed builders left behind is swept away first: a builder holds a lock on its folder, so one
    that can be locked belongs to nobody.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    temporary, handle = _claim(path)
    try:
        yield temporary
        _sync(temporary)
        _put_in_place(temporary, path)
    finally:
        os.close(handle)
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Waits until no other process is in here with the same lock file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _claim(path: Path) -> tuple[Path, int]:
    while True:
        temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}"
        temporary.mkdir()
        handle = _lock(temporary)
        if handle is not None:
            return temporary, handle


def _lock(folder: Path) -> int | None:
    """A handle that holds the folder, or None where another process holds it or has removed it."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(handle), os.stat(folder)):
            return handle
    except OSError:
        pass
    os.close(handle)
    return None


def _sweep(path: Path) -> None:
    for litter in path.parent.glob(f".{path.name}.{'[0-9a-f]' * 8}"):
        handle = _lock(litter)
        if handle is not None:
            shutil.rmtree(litter, ignore_errors=True)
            os.close(handle)


def _put_in_place(temporary: Path, path: Path) -> None:
    """Renames; an older folder is moved aside first, so for a moment there is none, never a mixture."""
    while True:
        try:
            os.rename(temporary, path)
            break
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        aside = path.parent / f".{path.name}.{secrets.token_hex(4)}"
        with suppress(FileNotFoundError):  # another builder was faster
            os.rename(path, aside)
        shutil.rmtree(aside, ignore_errors=True)
    _sync_one(path.parent)


def _sync(folder: Path) -> None:
    for entry in folder.rglob("*"):
        if not entry.is_dir():
            _sync_one(entry)
    _sync_one(folder)


def _sync_one(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
