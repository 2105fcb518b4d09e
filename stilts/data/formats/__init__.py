"""File formats, one module each, that turn files into rows in the data set's own schema.

A format is a module with

    rows(paths, *, language, **options)   rows of the files, one file after the other; where files belong
                                          together (sentences and their translations), of all at once

Every row knows its file and row, so that whatever is wrong with it can be named. What cannot be read ends in
a `UserError` that says file, row and what was expected; nothing is skipped, repaired or guessed.
"""

import importlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

from hpc.errors import UserError, unknown_name
from hpc.files import listing


class Record(dict[str, Any]):
    """A row, and where it stands."""

    __slots__ = ("number", "path")

    def __init__(self, values: Mapping[str, Any], *, path: Path, number: int) -> None:
        super().__init__(values)
        self.path = path
        self.number = number

    @property
    def place(self) -> str:
        """File and row, or line for a text file; counted from 1."""
        return place(self.path, self.number)


class Format(Protocol):
    """What the module of a format offers."""

    def rows(self, paths: Sequence[Path], *, language: str, **options: Any) -> Iterator[Record]:
        """Rows in the data set's own schema."""


def place(path: Path, number: int) -> str:
    """How a row is named in messages."""
    return f"{path} row {number}"


def names() -> list[str]:
    """All formats, by their file names."""
    return [path.stem for path in listing(Path(__file__).parent, "[!_]*.py")]


def load(name: str) -> Format:
    """The format of that name.

    Raises:
        UserError: there is no such format.
    """
    if name not in names():
        raise unknown_name("format", name, names())
    return cast("Format", importlib.import_module(f"{__name__}.{name}"))


def refuse(path: Path, number: int | None, what: str) -> UserError:
    """The `UserError` of a file, or of a row of it, that is not what it should be."""
    return UserError(f"{path if number is None else place(path, number)}: {what}", code=3)


def require(values: Mapping[str, Any], columns: Sequence[str], *, path: Path, number: int | None) -> None:
    """Refuses a row that lacks one of the columns.

    Raises:
        UserError: which column is missing, and which there are.
    """
    missing = [column for column in columns if column not in values]
    if missing:
        there = ", ".join(map(str, values)) or "none"
        raise refuse(path, number, f"no column {', '.join(missing)}; there are: {there}")
