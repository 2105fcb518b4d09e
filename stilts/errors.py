"""What a person can mend: one line saying what is wrong, where, and what to do about it."""

from collections.abc import Iterable
from difflib import get_close_matches


class Problem(Exception):
    """A mistake or shortage outside the program, told in one line.

    Args:
        message: what, where, and what to do next.
        code: the exit code: 1 something ran and failed, 2 the request was wrong, 3 inputs are missing.
    """

    def __init__(self, message: str, *, code: int = 2) -> None:
        super().__init__(message)
        self.code = code


def unknown(what: str, name: str, known: Iterable[str], *, where: str = "") -> Problem:
    """A `Problem` for a name that does not exist, with the nearest known ones and the full list."""
    names = sorted(known)
    near = get_close_matches(name, names, n=2, cutoff=0.6)
    guess = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    place = f" in {where}" if where else ""
    return Problem(f"unknown {what} {name!r}{place}.{guess} Known: {', '.join(names)}.")
