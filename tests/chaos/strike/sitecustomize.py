"""Loaded by every interpreter of a launch under test: strikes before the n-th change to its runs folder.

CHAOS_PLACE is the folder whose changes count, CHAOS_COUNTER a file of one byte a change, CHAOS_AT the number,
CHAOS_HOW what happens then: a signal by name (to this process), `launcher` (SIGKILL to CHAOS_LAUNCHER),
`ENOSPC`, `EDQUOT`, `EROFS`, `EIO` (that call fails, and those after it), or `pause` (it takes a second).
"""

import errno
import os
import signal
import time

_PLACE = os.environ.get("CHAOS_PLACE")


def _strike(how: str) -> None:
    if how == "pause":
        time.sleep(1.0)
    elif how == "launcher":
        with open(os.environ["CHAOS_LAUNCHER"], encoding="ascii") as file:
            os.kill(int(file.read()), signal.SIGKILL)
        time.sleep(0.2)
    elif how.startswith("SIG"):
        os.kill(os.getpid(), getattr(signal, how))
        time.sleep(0.05)
    else:
        raise OSError(getattr(errno, how), os.strerror(getattr(errno, how)))


def _install(place: str, counter: str, at: int, how: str) -> None:
    def count() -> int:
        handle = os_open(counter, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os_write(handle, b".")
            return os.fstat(handle).st_size
        finally:
            os.close(handle)

    def before(path: object) -> None:
        if not isinstance(path, int) and os.path.abspath(os.fsdecode(path)).startswith(place):  # type: ignore[arg-type]
            number = count()
            persists = not (how.startswith("SIG") or how in ("launcher", "pause"))
            if number == at or (persists and number > at):
                _strike(how)

    os_open, os_write = os.open, os.write

    def wrapped(name: str, where: int) -> None:
        real = getattr(os, name)

        def call(*arguments: object, **more: object) -> object:
            before(arguments[where])
            return real(*arguments, **more)

        setattr(os, name, call)

    def opened(path: object, flags: int, *arguments: object, **more: object) -> object:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            before(path)
        return os_open(path, flags, *arguments, **more)  # type: ignore[arg-type]

    for name, where in (
        ("replace", 1),
        ("rename", 1),
        ("link", 1),
        ("mkdir", 0),
        ("unlink", 0),
        ("rmdir", 0),
    ):
        wrapped(name, where)
    os.open = opened  # type: ignore[assignment]

    import builtins

    real_open = builtins.open

    def open_(file: object, mode: str = "r", *arguments: object, **more: object) -> object:
        if set(mode) & set("wax+"):
            before(file)
        return real_open(file, mode, *arguments, **more)  # type: ignore[call-overload]

    builtins.open = open_  # type: ignore[assignment]


if _PLACE:
    _install(
        os.path.abspath(_PLACE),
        os.environ["CHAOS_COUNTER"],
        int(os.environ["CHAOS_AT"]),
        os.environ["CHAOS_HOW"],
    )
