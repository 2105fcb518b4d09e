"""Folders that are either whole or not there, also with several builders at once and after a kill."""

import errno
import fcntl
import math
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

from hpc.errors import UserError
from hpc.files.atomic import sync
from hpc.files.locks import NO_LOCKS, flock, lock
from hpc.files.looking import listing, raise_unreadable

_CANNOT_WRITE = (errno.EACCES, errno.EEXIST, errno.ENOTDIR, errno.EROFS, errno.ENOSPC, errno.EDQUOT)
"""What a folder for results of work can be wrong by, or its disk."""


def build_once(
    folder: Path, build: Callable[[Path], None], *, is_whole: Callable[[Path], bool] = Path.is_dir
) -> Path:
    """`folder`, after `build(temporary)` filled it if it was not there or not whole.

    A second process waits for the first instead of doing the work again; where the file system has no locks
    at all, both may work and one result stays.

    Args:
        folder: what to build.
        build: fills a new, empty folder.
        is_whole: whether a folder that is there may be used.

    Raises:
        UserError: nothing can be written there (code 3).
    """
    if is_whole(folder):
        return folder
    try:
        with lock(folder.with_name(f".{folder.name}.lock"), patience=math.inf):
            if not is_whole(folder):
                with replacing_folder(folder) as temporary:
                    build(temporary)
    except OSError as error:
        if error.errno not in _CANNOT_WRITE:
            raise
        raise UserError(f"cannot write to {folder.parent}: {error.strerror}", code=3) from error
    return folder


def own_folder(folder: Path) -> None:
    """Makes a folder that only its owner may read, or makes sure that one that is there is such.

    What is unpickled lies in it: whoever can write there can have a job run anything.

    Raises:
        UserError: it is a link, somebody else's, or open to others (code 3).
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    if stat.S_ISLNK(status.st_mode) or status.st_uid != os.getuid():
        raise UserError(f"{folder} is a link or another user's: take it away, and launch again", code=3)
    if status.st_mode & 0o022:
        raise UserError(
            f"{folder} can be written to by others, and jobs run what lies in it: look what is there, then "
            f"chmod 700 {folder}",
            code=3,
        )


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yields a new folder beside `path`, which takes the place of `path` on a clean exit.

    What killed builders left behind is swept away first: a builder holds a lock on its folder, so one
    that can be locked belongs to nobody. Without locks nothing is swept.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    temporary, handle = _claim(path)
    try:
        yield temporary
        _sync_all(temporary)
        _put_in_place(temporary, path)
    finally:
        os.close(handle)
        shutil.rmtree(temporary, ignore_errors=True)


def _claim(path: Path) -> tuple[Path, int]:
    """A new folder and a handle that holds it."""
    while True:
        temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}"
        temporary.mkdir()
        try:
            handle = os.open(temporary, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:  # swept by another builder before it was locked
            continue
        try:
            if flock(handle, fcntl.LOCK_EX) and os.path.samestat(os.fstat(handle), os.stat(temporary)):
                return temporary, handle
        except FileNotFoundError:
            pass
        except OSError as error:
            if error.errno in NO_LOCKS:
                return temporary, handle
            os.close(handle)
            raise
        os.close(handle)


def _sweep(path: Path) -> None:
    for stale in listing(path.parent, f".{escape(path.name)}.{'[0-9a-f]' * 8}"):
        with suppress(OSError):
            handle = os.open(stale, os.O_RDONLY | os.O_DIRECTORY)
            try:
                if flock(handle, fcntl.LOCK_EX):
                    shutil.rmtree(stale, ignore_errors=True)
            finally:
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
    sync(path.parent)


def _sync_all(folder: Path) -> None:
    for here, _, names in os.walk(folder, onerror=raise_unreadable):
        for name in names:
            sync(Path(here, name))
        sync(Path(here))
