"""The main table on a terminal: coloured and fitted with rich, or as Markdown when output goes to a file."""

import sys
from typing import TYPE_CHECKING

from stilts.report import markdown
from stilts.report.form import Block, Cell, Table

if TYPE_CHECKING:
    from rich.table import Table as Grid

_STYLES = {"better": "blue", "worse": "dark_orange3", "": ""}


def show(table: Table) -> None:
    """Prints a table."""
    if not sys.stdout.isatty():
        print(markdown.write(table), end="")
        return
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    for block in table.blocks:
        console.print(_grid(table, block))
    console.print(table.caption, style="dim")
    for mark, text in table.footnotes:
        console.print(f"{mark} {text}", style="dim")
    for text in table.warnings:
        console.print(text, style="bold")


def _grid(table: Table, block: Block) -> "Grid":
    from rich import box
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid(
        title=block.title or table.question, box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0)
    )
    grid.add_column(table.stub, no_wrap=True)
    for name in markdown.flat_headers(block):
        grid.add_column(name, justify="right")
    for row in block.rows:
        if row.ruled:
            grid.add_section()
        grid.add_row(row.label, *(Text(_lines(cell), style=_style(cell)) for cell in row.cells))
    return grid


def _lines(cell: Cell) -> str:
    if not cell.applies:
        return ""
    if cell.missing:
        return "--"
    # The change stands below its score: nine targets fit on a hundred columns.
    return "\n".join(part for part in (cell.text + cell.mark, cell.detail) if part)


def _style(cell: Cell) -> str:
    return " ".join(part for part in ("bold" * cell.best, _STYLES[cell.shade]) if part)
