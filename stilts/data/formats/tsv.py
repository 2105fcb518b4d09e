"""Tab-separated values: raw fields, in which a quotation mark means itself, or quoted ones."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from stilts.data.formats import Record, refuse
from stilts.data.formats._text import lines
from stilts.data.formats.csv import quoted


def rows(
    paths: Sequence[Path],
    *,
    language: str,
    columns: Sequence[str] | None = None,
    fields: Literal["raw", "quoted"] = "raw",
    damaged: int = 0,
    add_language: str | None = None,
) -> Iterator[Record]:
    """Rows by column name.

    Args:
        paths: the files, read in turn.
        language: of the files.
        columns: names of the columns; None: each file's first line has them.
        fields: how a field with tabs or quotation marks is written.
        damaged: rows with a wrong number of fields that the published file is known to have at most; so many
            are left out, and one more is refused.
        add_language: name of a column to add, where other forms of the data set tell the language.
    """
    for path in paths:
        quotes = fields == "quoted"
        found = quoted(path, delimiter="\t", columns=columns) if quotes else _raw(path, columns, damaged)
        for row in found:
            if add_language is not None:
                row[add_language] = language
            yield row


def _raw(path: Path, columns: Sequence[str] | None, damaged: int) -> Iterator[Record]:
    for number, line in lines(path):
        values = line.split("\t")
        if columns is None:
            columns = values
        elif len(values) == len(columns):
            yield Record(dict(zip(columns, values, strict=True)), path=path, number=number)
        elif line and damaged:
            damaged -= 1
        elif line:
            raise refuse(path, number, f"{len(values)} fields, but {len(columns)} columns")
