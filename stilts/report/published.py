"""Figures that others reported, from `tables/published.toml`: printed with their source, never tested."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from hpc import shipped
from hpc.settings import decode, read_toml
from stilts.report.form import DOUBLE_DAGGER, EMPTY, Cell, Row
from stilts.report.numbers import points, signed


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """One row that someone published."""

    study: str
    """The study whose tables print it."""
    key: str
    label: str
    split: Literal["dev", "test"]
    quantity: Literal["score", "change"]
    source: str
    checked: tuple[str, ...] = ()
    note: str = ""
    cells: dict[str, float]
    em_f1: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """Question answering, as exact match and F1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """The whole file."""

    sources: dict[str, str]
    reported: tuple[Figures, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reported:
    """A printable row and the footnotes that go with the reported rows of a table."""

    row: Row
    footnotes: tuple[tuple[str, str], ...]


@cache
def published() -> Published:
    """The file, read once."""
    path = shipped.find("tables", "published")
    if path is None:
        return Published(sources={}, reported=())
    found: Published = decode(Published, read_toml(path), str(path))
    return found


def reported_rows(study: str, split: str, columns: Sequence[str]) -> list[Reported]:
    """Rows for the tables of a study; none for a study that nobody published figures of."""
    wanted = [row for row in published().reported if (row.study, row.split) == (study, split)]
    sources = "; ".join(dict.fromkeys(published().sources[row.source] for row in wanted))
    unchecked = "Second-hand, not yet compared with the paper's own table."
    footnotes = (("", f"Reported: {sources}."), (DOUBLE_DAGGER, unchecked))
    return [
        Reported(row=_row(figures, columns, ruled=n == 0), footnotes=footnotes)
        for n, figures in enumerate(wanted)
    ]


def _row(figures: Figures, columns: Sequence[str], *, ruled: bool) -> Row:
    return Row(
        key=f"reported/{figures.key}",
        label=f"reported: {figures.label}",
        cells=tuple(_cell(figures, column) for column in columns),
        ruled=ruled,
    )


def value_of(figures: Figures, column: str) -> float | None:
    """What is reported of a column; of questions the mean of exact match and F1."""
    both = figures.em_f1.get(column)
    return sum(both) / len(both) if both else figures.cells.get(column)


def _cell(figures: Figures, column: str) -> Cell:
    value = value_of(figures, column)
    if value is None:
        return EMPTY
    return Cell(
        text=points(value) if figures.quantity == "score" else signed(value),
        value=value if figures.quantity == "score" else None,
        change=value if figures.quantity == "change" else None,
        mark="" if column in figures.checked else DOUBLE_DAGGER,
        note=f"reported by {published().sources[figures.source]}. {figures.note}".strip(),
    )
