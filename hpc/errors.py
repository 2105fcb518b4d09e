"""What a person can fix, told in one line: what is wrong, where, and what to do about it."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches


class UserError(Exception):
    """A mistake or shortage outside the program.

    Args:
        message: what, where, and what to do next.
        code: the exit code: 1 something ran and failed, 2 the request was wrong, 3 inputs are missing or
            damaged.
    """

    def __init__(self, message: str, *, code: int = 2) -> None:
        super().__init__(message)
        self.code = code


class Unreadable(UserError):
    """The system does not give what is there, which says nothing about it: it is not to be thrown away."""

    def __init__(self, error: OSError, path: object) -> None:
        super().__init__(f"cannot read {path}: {error.strerror or error}", code=3)


class Busy(UserError):
    """Another process is at the same work. Later it may not be."""


class Stopped(KeyboardInterrupt):
    """The executor was asked to stop by a signal, and has ended everything it had started."""

    def __init__(self, signum: int) -> None:
        super().__init__()
        self.signum = signum


def unknown_name(what: str, name: str, known: Iterable[str], *, where: str = "") -> UserError:
    """A `UserError` for a name that does not exist, with the nearest known ones and the full list."""
    names = sorted(set(known))
    near = get_close_matches(name, names, n=2, cutoff=0.6)
    guess = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    place = f" in {where}" if where else ""
    return UserError(f"unknown {what} {name!r}{place}.{guess} Known: {', '.join(names) or 'none'}.")


def refuse_unknown(what: str, names: Iterable[str], known: Collection[str], *, where: str = "") -> None:
    """Raises `unknown_name` for the first of the names that is not known."""
    for name in names:
        if name not in known:
            raise unknown_name(what, name, known, where=where)
