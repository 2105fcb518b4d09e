"""Locks between processes: flock where the file system has it, else a file that names its owner.

The kernel lets go of a flock when its process ends, however it ends. Lustre and some NFS mounts refuse flock
(ENOSYS, ENOLCK); there the lock is a file made by O_EXCL that says which process of which host holds it. Its
owner is taken for dead when that process is gone, or, on another host, when it has not touched the file for
`STALE_SECONDS`.
"""

import contextlib
import errno
import fcntl
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hpc.errors import Unreadable

NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL)
"""What a file system without locks answers."""
STALE_SECONDS = 90.0
_TOUCH_SECONDS = 15.0
_POLL_SECONDS = 0.02


class Held(Exception):
    """Another process holds the lock; the text says which, as far as it is known."""


@contextmanager
def lock(path: Path, *, patience: float = 0.0) -> Iterator[None]:
    """Holds `path` for this process until the context ends. A symbolic link is never followed.

    Args:
        path: the lock file; made when it is not there.
        patience: seconds to wait for another holder.

    Raises:
        Held: another process has it after so long.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        with _claimed(handle, path, time.monotonic() + patience):
            _sign(handle)
            yield
    finally:
        os.close(handle)


def is_locked(path: Path) -> bool:
    """Whether some process holds `path`; whoever looks holds it for an instant.

    Raises:
        Unreadable: the system does not tell.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise Unreadable(error, path) from error
    try:
        return not flock(handle, fcntl.LOCK_SH)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        owner = _read_owner(_owner_file(path))
        return owner is not None and _is_alive(owner)
    finally:
        os.close(handle)


def signed_by(path: Path) -> str:
    """The process that took `path` last, as it signed."""
    return path.read_bytes()[:200].decode(errors="replace").strip()


def flock(handle: int, kind: int) -> bool:
    """Whether the lock was free.

    Raises:
        OSError: the file system has no locks (one of `NO_LOCKS`).
    """
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _claimed(handle: int, path: Path, end: float) -> Iterator[None]:
    try:
        while not flock(handle, fcntl.LOCK_EX):
            _wait(path, end, os.pread(handle, 200, 0).decode(errors="replace").strip())
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    else:
        yield
        return
    with _owned(path, end):
        yield


@contextmanager
def _owned(path: Path, end: float) -> Iterator[None]:
    """The lock of a file system without locks."""
    file, mine = _owner_file(path), _myself()
    while not _create(file, mine):
        owner = _read_owner(file)
        if owner is not None and _is_alive(owner):
            _wait(path, end, f"pid {owner.get('pid')} on {owner.get('host')}")
        else:
            _remove_stale(file, owner)
    ended = threading.Event()
    thread = threading.Thread(target=_touch, args=(file, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        file.unlink(missing_ok=True)


def _wait(path: Path, end: float, holder: str) -> None:
    if time.monotonic() >= end:
        raise Held(holder or f"holder of {path} unknown")
    time.sleep(_POLL_SECONDS)


def _sign(handle: int) -> None:
    """Leaves the holder's name for whoever meets the lock."""
    text = f"pid {os.getpid()} on {socket.gethostname()}\n".encode()
    with contextlib.suppress(OSError):  # a full disk: the lock holds without a name
        os.ftruncate(handle, 0)
        os.pwrite(handle, text, 0)


def _owner_file(path: Path) -> Path:
    return path.with_name(f".{path.name}.owner")


def _myself() -> dict[str, Any]:
    pid = os.getpid()
    return {"host": socket.gethostname(), "pid": pid, "start": _start_of(pid), "token": os.urandom(8).hex()}


def _create(file: Path, owner: dict[str, Any]) -> bool:
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    except FileExistsError:
        return False
    try:
        os.write(handle, json.dumps(owner).encode())
    finally:
        os.close(handle)
    return True


def _read_owner(file: Path) -> dict[str, Any] | None:
    """Who holds the lock and when it was last touched; None where nobody does."""
    try:
        owner: dict[str, Any] = json.loads(file.read_bytes())
        return owner | {"touched": file.stat().st_mtime}
    except FileNotFoundError:
        return None
    except ValueError:  # being written at this moment, or left half by a crash
        with contextlib.suppress(FileNotFoundError):
            return {"touched": file.stat().st_mtime}
        return None


def _is_alive(owner: dict[str, Any]) -> bool:
    if owner.get("host") == socket.gethostname():
        return _start_of(int(owner.get("pid", -1))) == owner.get("start")
    return time.time() - float(owner["touched"]) < STALE_SECONDS


def _start_of(pid: int) -> str:
    """When a process of this machine started, in clock ticks; empty when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]


def _remove_stale(file: Path, seen: dict[str, Any] | None) -> None:
    """Takes a dead owner's file away, and only that: a file that changed meanwhile is put back."""
    if seen is None:
        return
    aside = file.with_name(f"{file.name}.{os.urandom(4).hex()}")
    try:
        os.rename(file, aside)
    except FileNotFoundError:  # another process was faster
        return
    found = _read_owner(aside)
    if found is None or found.get("token") != seen.get("token"):
        with contextlib.suppress(FileExistsError):
            os.link(aside, file)
    aside.unlink(missing_ok=True)


def _touch(file: Path, ended: threading.Event) -> None:
    while not ended.wait(_TOUCH_SECONDS):
        with contextlib.suppress(OSError):
            os.utime(file)
