"""Plain text: each line is one row, `{"text"}`; empty lines are left out."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from stilts.data.formats import Record
from stilts.data.formats._text import lines


def rows(paths: Sequence[Path], *, language: str) -> Iterator[Record]:  # noqa: ARG001
    """One row a line."""
    for path in paths:
        for number, line in lines(path):
            if line.strip():
                yield Record({"text": line}, path=path, number=number)
