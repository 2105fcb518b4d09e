"""Comma-separated values with quoted fields and a line of column names."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from stilts.data.formats import Record, refuse
from stilts.data.formats._text import LONGEST_LINE, refuse_pages, unreadable


def rows(paths: Sequence[Path], *, language: str) -> Iterator[Record]:  # noqa: ARG001
    """Rows by column name; a row is numbered by its last line, since quoted fields may hold line ends."""
    for path in paths:
        yield from quoted(path, delimiter=",", columns=None)


def quoted(path: Path, *, delimiter: str, columns: Sequence[str] | None) -> Iterator[Record]:
    """Rows of a file with quoted fields.

    Args:
        path: the file.
        delimiter: between fields.
        columns: their names; None: the first line has them.
    """
    refuse_pages(path)
    csv.field_size_limit(LONGEST_LINE)
    number = 0
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            for values in reader:
                number = reader.line_num
                if columns is None:
                    columns = values
                elif len(values) != len(columns):
                    raise refuse(path, number, f"{len(values)} fields, but {len(columns)} columns")
                else:
                    yield Record(dict(zip(columns, values, strict=True)), path=path, number=number)
    except csv.Error as error:
        raise refuse(path, number + 1, f"bad quoting, or cut short: {error}") from error
    except UnicodeDecodeError as error:
        raise refuse(path, number + 1, f"not UTF-8 text ({error.reason})") from error
    except OSError as error:
        raise unreadable(path, error) from error
