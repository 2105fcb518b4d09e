"""The form between builders and writers: a table as header cells and cells, each with its raw number and its
print.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Shade = Literal["", "better", "worse"]

DAGGER, DOUBLE_DAGGER = "\u2020", "\u2021"


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
    """Direction of a significant change."""
    mark: str = ""
    """Sign of a footnote."""
    runs: tuple[str, ...] = ()
    """Runs whose records the number was made from."""
    note: str = ""
    """What a reader who asks for this cell should know."""
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
        return hashlib.sha256(json.dumps(as_json(self), sort_keys=True).encode()).hexdigest()[:16]


def as_json(table: Table) -> dict[str, Any]:
    """The table as JSON values with ten digits; what is not set is left out."""
    plain = asdict(table)
    for block in plain["blocks"]:
        for row in block["rows"]:
            row["cells"] = [
                {key: _rounded(value) for key, value in cell.items() if value not in (None, "", (), False)}
                | ({} if cell["applies"] else {"applies": False})
                for cell in row["cells"]
            ]
    return plain


def _rounded(value: Any) -> Any:
    """Ten digits: equal on machines that add up in different order."""
    return float(f"{value:.10g}") if isinstance(value, float) else value
