"""Files that are either whole or not there: temporary name, fsync, rename, fsync of the folder.

Text is UTF-8 whatever the locale.
"""

import errno
import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Any

from hpc.errors import Unreadable, UserError
from hpc.reasons import number_of

_LITTER = re.compile(r"\..+\.([a-z0-9_]{8}|\d{1,7})")
"""Temporary names: those of `replacing`, and those that end in a process id."""
_WRITE_SECONDS = 900.0
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)
"""What file systems without hard links answer."""
_NO_FILE = (errno.EISDIR, errno.ELOOP, errno.ENXIO)
"""What stands in a file's place is none."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary name beside `path`; what was written there replaces `path` on a clean exit.

    The name begins with a dot, so that data set discovery never takes a half-written file for a shard.

    Raises:
        OSError: the system refused to write it; it names `path`, whatever the one who wrote raised.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _beside(path) as temporary:
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())
        sync(temporary)
        os.replace(temporary, path)
        sync(path.parent)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A new file beside `path`, under a name that nobody can have made a link of beforehand; gone in the end
    unless it was renamed.
    """
    with naming(path):
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        try:
            yield Path(name)
        finally:
            with suppress(OSError):
                os.unlink(name)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Has what the system refuses name `path`: a write and Arrow name no file, others a temporary one."""
    try:
        yield
    except Exception as error:
        number = number_of(error)
        named = getattr(error, "filename", None)
        is_ours = named is None or os.path.basename(str(named)).startswith(f".{path.name}.")
        if number is None or not is_ours:
            raise
        raise OSError(number, os.strerror(number), str(path)) from error


def write_atomic(path: Path, content: str | bytes) -> None:
    """Writes `content` so that a reader sees the old file or the new one, never a part."""
    data = content.encode() if isinstance(content, str) else content
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: Path, value: Any) -> None:
    """Writes `value` as indented JSON with sorted keys, atomically."""
    write_atomic(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def write_json_often(path: Path, value: Any) -> None:
    """As `write_json` without waiting for the disk: a crash of the machine may leave an older one."""
    with _beside(path) as temporary:
        text = json.dumps(value, sort_keys=True, ensure_ascii=False) + "\n"
        temporary.write_text(text, encoding="utf-8")
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)


def write_json_once(path: Path, value: Any) -> bool:
    """As `write_json`, where there is no such file yet; returns whether it was written.

    Of several processes one wins, and readers see all of what it wrote.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    try:
        with _beside(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
            os.chmod(temporary, 0o666 & ~_umask())
            sync(temporary)
            try:
                os.link(temporary, path)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                with open(path, "x", encoding="utf-8") as file:
                    file.write(text)
    except FileExistsError:
        return False
    return True


def read_json(path: Path) -> Any:
    """The value of a JSON file.

    Raises:
        FileNotFoundError: there is no such file.
        Unreadable: the system does not give what is there.
        UserError: it is no file, or not JSON (code 3), naming it.
    """
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in _NO_FILE:
            raise UserError(f"cannot read {path}: {error.strerror}", code=3) from error
        raise Unreadable(error, path) from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is damaged: not JSON ({error})", code=3) from error


def append_json_line(path: Path, value: Any) -> None:
    """Appends one JSON object as one line; a line is a single write, so readers never see half of one.

    There may be one writer at a time: half a line that a crash or a full disk left is cut off.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with naming(path), open(path, "a+b", buffering=0) as file:
        _cut_half_line(file)
        left = memoryview(json_line(value).encode())
        while left:  # a disk that fills up takes a part and says so only when asked again
            left = left[file.write(left) :]


def json_line(value: Any) -> str:
    """A JSON object as a line of its own."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False) + "\n"


def _cut_half_line(file: FileIO) -> None:
    end = file.seek(0, os.SEEK_END)
    if end == 0 or os.pread(file.fileno(), 1, end - 1) == b"\n":
        return
    file.seek(0)
    file.truncate(file.readall().rfind(b"\n") + 1)


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON-lines file; a last line cut short by a crash is left out.

    Raises:
        Unreadable: the system does not give it.
        UserError: a line is not JSON (code 3), naming file and line.
    """
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Unreadable(error, path) from error
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(json.loads(line)) if line else None
        except ValueError as error:
            raise UserError(f"{path} is damaged: line {number} is not JSON ({error})", code=3) from error
    return found


def sweep(folder: Path) -> None:
    """Takes away what killed writers left below a folder, once it is older than any write takes."""
    long_ago = time.time() - _WRITE_SECONDS
    for here, _, names in os.walk(folder):
        for path in (Path(here, name) for name in names if _LITTER.fullmatch(name)):
            with suppress(FileNotFoundError):
                if not path.is_symlink() and path.stat().st_mtime < long_ago:
                    path.unlink()


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Has the disk hold what was written to a file, or the names in a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
