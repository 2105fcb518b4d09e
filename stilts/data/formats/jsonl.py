"""JSON lines: one object a line."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from stilts.data.formats import Record, refuse
from stilts.data.formats._text import lines


def rows(paths: Sequence[Path], *, language: str) -> Iterator[Record]:  # noqa: ARG001
    """One row a line; empty lines are left out."""
    for path in paths:
        for number, line in lines(path):
            if not line.strip():
                continue
            try:
                values = json.loads(line)
            except json.JSONDecodeError as error:
                raise refuse(path, number, f"not JSON, or cut short: {error.msg}") from error
            if not isinstance(values, dict):
                raise refuse(path, number, f"a JSON object is expected, not {type(values).__name__}")
            yield Record(values, path=path, number=number)
