"""The form between builders and writers: a table as header cells and cells, each with its raw number and its
print.
"""

import hashlib
import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from functools import lru_cache
from typing import Any, Literal

Shade = Literal["", "better", "worse"]
State = Literal["", "different", "not different", "equivalent", "not tested"]

DAGGER, DOUBLE_DAGGER = "\u2020", "\u2021"
SIGNS: Mapping[State, str] = {"different": "*", "equivalent": "=", "not tested": "?"}
"""Printed after a change, so that every format tells the states apart; what is not different has none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One cell. Without text it is missing and prints `--`, never 0."""

    text: str = ""
    """The number as printed."""
    detail: str = ""
    """Small print beside it: a change or an interval."""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    change: float | None = None
    """Difference to the row compared against, or the ratio to it."""
    change_low: float | None = None
    change_high: float | None = None
    p_value: float | None = None
    """Of the change, after the correction the caption names."""
    count: int | None = None
    """Examples or timed queries behind the number."""
    best: bool = False
    """The best of its column, or not distinguishable from it."""
    shade: Shade = ""
    """Direction of a change that is told from none."""
    state: State = ""
    """What the tests say of a change; empty where nothing is compared."""
    mark: str = ""
    """Sign of a footnote."""
    runs: tuple[str, ...] = ()
    """Runs whose records the number was made from."""
    other_runs: tuple[str, ...] = ()
    """Runs of what it is compared with."""
    trace: Callable[[], Sequence[str]] | None = field(default=None, compare=False, repr=False)
    """How the number was worked out, from which values; asked for one cell at a time."""
    note: str = ""
    """What a reader who asks for this cell should know."""
    prose: bool = False
    """Words, which may stand on several lines."""
    applies: bool = True
    """False where there is nothing to measure: prints as an empty cell and is not missing."""

    @property
    def missing(self) -> bool:
        """Should be there and is not."""
        return self.applies and not self.text


EMPTY = Cell(applies=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """A header over one or more columns."""

    text: str
    span: int = 1
    essential: bool = True
    """Whether the headers below cannot be read without it, as with a unit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A labelled row; `ruled` draws a line above it."""

    key: str
    label: str
    cells: tuple[Cell, ...]
    ruled: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """Rows under one header. `groups`, when given, stands above the column headers and spans them all."""

    columns: tuple[str, ...]
    """Keys of the columns, for `--explain` and CSV."""
    headers: tuple[Header, ...]
    rows: tuple[Row, ...]
    groups: tuple[Header, ...] = ()
    title: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table ready to be written."""

    id: str
    question: str
    caption: str
    blocks: tuple[Block, ...]
    stub: str = "Regime"
    """Header of the row labels."""
    footnotes: tuple[tuple[str, str], ...] = field(default=())
    """Signs that occur and what they mean."""
    warnings: tuple[str, ...] = ()
    """Why the numbers are not fit to be published; printed, and fatal under `--strict`."""

    def cells(self) -> Iterator[tuple[str, Cell]]:
        """Every cell with its address `table/row/column`."""
        for block in self.blocks:
            for row in block.rows:
                for column, cell in zip(block.columns, row.cells, strict=True):
                    yield f"{self.id}/{row.key}/{column}", cell

    @property
    def digest(self) -> str:
        """Hash of everything in the table: equal data, equal digest."""
        return _digest(self)


@lru_cache(maxsize=8)
def _digest(table: Table) -> str:
    return hashlib.sha256(json.dumps(as_json(table), sort_keys=True).encode()).hexdigest()[:16]


def printable(table: Table) -> Table:
    """The table without a character that would steer what shows it: control characters print as their code,
    marks that turn the direction of text are left out.
    """
    cleaned: Table = _printable(table)
    return cleaned


def clean(text: str) -> str:
    """Text without a character that would steer what shows it."""
    return "".join(map(_letter, text))


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, tuple):
        return tuple(map(_printable, value))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _printable(getattr(value, each.name)) for each in fields(value)})
    return value


def _letter(letter: str) -> str:
    if letter in "\n\t\u2028\u2029":
        return " "
    kind = unicodedata.category(letter)
    if kind in ("Cc", "Cs"):
        return f"\\x{ord(letter):02x}"
    return "" if kind == "Cf" and letter not in _JOINERS else letter


# Some scripts are not spelt right without them.
_JOINERS = "\u200c\u200d"


def as_json(table: Table) -> dict[str, Any]:
    """The table as JSON values with ten digits; what is not set is left out."""
    plain = asdict(table)
    for block in plain["blocks"]:
        for row in block["rows"]:
            row["cells"] = [
                {
                    key: _rounded(value)
                    for key, value in cell.items()
                    if value not in (None, "", (), False) and key != "trace"
                }
                | ({} if cell["applies"] else {"applies": False})
                for cell in row["cells"]
            ]
    return plain


def _rounded(value: Any) -> Any:
    """Ten digits: equal on machines that add up in different order."""
    return float(f"{value:.10g}") if isinstance(value, float) else value
