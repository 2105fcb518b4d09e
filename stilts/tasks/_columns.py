"""Columns of a row, each of the type that is expected: another one is told, never converted."""

from typing import Any

from stilts.tasks import Row

_LABELS = (str, int, type(None))


def text(row: Row, name: str) -> str:
    """The text of a column.

    Raises:
        KeyError: there is no such column.
        ValueError: it holds something else.
    """
    return as_text(row[name], name)


def texts(row: Row, name: str) -> list[str]:
    """The texts of a column of lists; raises as `text`."""
    return [as_text(value, name) for value in as_list(row[name], name)]


def label(row: Row, name: str) -> str | int | None:
    """A label as its data set writes it: a name, a number or none at all; raises as `text`."""
    value = row[name]
    if isinstance(value, bool) or not isinstance(value, _LABELS):
        raise _unlike(value, name, "a label")
    return value


def numbered(row: Row, name: str, *, of: int) -> int | None:
    """A label that counts from 0, also as text, below `of`; None where -1 or nothing stands for no label.

    Raises:
        KeyError: there is no such column.
        ValueError: it is no such number.
    """
    value = label(row, name)
    if value in (-1, "-1", "", None):
        return None
    if str(value) not in map(str, range(of)):
        raise ValueError(f"label {value} of {of}")
    return int(value)


def identity(row: Row, *names: str) -> str:
    """The id of a row, out of the first of the columns that is there; empty where there is none.

    Raises:
        ValueError: it is neither text nor a whole number.
    """
    name = next((name for name in names if name in row), None)
    value = label(row, name) if name else None
    return "" if value is None else str(value)


def as_text(value: Any, name: str) -> str:
    """The value, which has to be text."""
    if not isinstance(value, str):
        raise _unlike(value, name, "text")
    return value


def as_list(value: Any, name: str) -> list[Any]:
    """The value, which has to be a list."""
    if not isinstance(value, (list, tuple)):
        raise _unlike(value, name, "a list")
    return list(value)


def _unlike(value: Any, name: str, expected: str) -> ValueError:
    kind = "nothing" if value is None else type(value).__name__
    return ValueError(f"{name} holds {kind} where {expected} is expected")
