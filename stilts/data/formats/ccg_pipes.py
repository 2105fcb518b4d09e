"""Supertagged sentences, one a line: `word|POS|category` with spaces between."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from stilts.data.formats import Record, refuse
from stilts.data.formats._text import lines


def rows(paths: Sequence[Path], *, language: str) -> Iterator[Record]:  # noqa: ARG001
    """One row a sentence: its words and their categories; empty lines and comments (`#`) are left out."""
    for path in paths:
        for number, line in lines(path):
            if not line.strip() or line.startswith("# "):
                continue
            words = [word.rsplit("|", 2) for word in line.split(" ") if word]
            for word in words:
                if len(word) != 3 or not all(word):
                    raise refuse(path, number, f"word|POS|category is expected, not {'|'.join(word)!r}")
            values = {"tokens": [word[0] for word in words], "tags": [word[2] for word in words]}
            yield Record(values, path=path, number=number)
