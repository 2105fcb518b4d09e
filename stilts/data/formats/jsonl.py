"""JSON lines: one object a line."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from stilts.data.formats import Record, refuse
from stilts.data.formats._text import lines, parsed


def rows(paths: Sequence[Path], *, language: str) -> Iterator[Record]:  # noqa: ARG001
    """One row a line; empty lines are left out."""
    for path in paths:
        for number, line in lines(path):
            if not line.strip():
                continue
            values = parsed(line, path=path, number=number)
            if not isinstance(values, dict):
                raise refuse(path, number, f"a JSON object is expected, not {type(values).__name__}")
            yield Record(values, path=path, number=number)
