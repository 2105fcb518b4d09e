"""Entries of the cache: a folder that is either whole or not there, built once however many ask for it."""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stilts.errors import Problem

_NOT_OURS = (errno.EACCES, errno.EEXIST, errno.ENOTDIR, errno.EROFS, errno.ENOSPC, errno.EDQUOT)
"""What a cache folder can be wrong by, or its disk."""


def entry(folder: Path, build: Callable[[Path], None]) -> Path:
    """`folder`, after `build(temporary)` filled it if it was not there.

    The folder appears by a rename when all is written. A lock makes a second process wait for the first
    instead of doing the work again; where the file system has no locks, both work and one result stays.
    """
    if folder.exists():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder.parent / f".{folder.name}.lock"):
            if not folder.exists():
                _build(folder, build)
    except OSError as error:
        if error.errno not in _NOT_OURS:
            raise
        raise Problem(f"cannot write the cache at {folder.parent}: {error.strerror}", code=3) from error
    return folder


def _build(folder: Path, build: Callable[[Path], None]) -> None:
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        build(temporary)
        for path in [*temporary.iterdir(), temporary]:
            _sync(path)
        temporary.chmod(0o755)
        try:
            os.rename(temporary, folder)
        except OSError:
            if not folder.exists():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with open(path, "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:  # no locks on this file system
            yield
            return
        yield


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
