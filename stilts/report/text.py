"""Tables as aligned text for a terminal or a pipe: a wide one in parts, no number cut, no line too long."""

import shutil
import sys
from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from stilts.report import layout
from stilts.report.form import Block, Cell, Header, Row, Table

_STYLES = {"better": "blue", "worse": "dark_orange3", "": ""}
BEST = "\u2022"
"""Behind a number that other formats print in bold."""
_GAP = 2
_PROSE = 34
_PIPE = 100
"""Columns where output goes to a file and nobody says otherwise."""


def show(table: Table) -> None:
    """Prints a table as wide as the terminal is."""
    width = max(40, shutil.get_terminal_size((_PIPE, 24)).columns)
    console = Console(highlight=False, markup=False, width=width, soft_wrap=False, file=sys.stdout)
    for line in lines(table, width):
        console.print(line)


def lines(table: Table, width: int) -> list[Text]:
    """The table with its question above and its caption below; long texts are wrapped when printed."""
    found = [Text(table.question, style="bold"), Text("")]
    for block in table.blocks:
        stub = _stub(block, table.stub, width)
        widths = [one + _GAP for one in _widths(block)]
        for part in layout.parts(block, widths, stub, width):
            found += [*_part(part, table.stub, stub), Text("")]
    found.append(Text(table.caption, style="dim"))
    if any(cell.best for _, cell in table.cells()):
        found.append(Text(f"{BEST} as bold: among the best of its column", style="dim"))
    found += [Text(f"{mark} {text}".strip(), style="dim") for mark, text in table.footnotes]
    return found + [Text(text, style="bold") for text in table.warnings]


def _stub(block: Block, stub: str, width: int) -> int:
    longest = max(cell_len(text) for text in (stub, *(row.label for row in block.rows)))
    return min(longest, max(12, width // 3))


def _widths(block: Block) -> list[int]:
    """Of the columns; a header stands on several lines rather than widen one."""
    found = []
    for number, header in enumerate(block.headers):
        texts = [line for row in block.rows for line in _cell(row.cells[number], _PROSE)]
        found.append(max(cell_len(text) for text in (*texts, *header.text.split(), "")))
    start = 0
    for group in block.groups:
        longest = max((cell_len(word) for word in group.text.split()), default=0)
        lacking = longest - sum(found[start : start + group.span]) - _GAP * (group.span - 1)
        start += group.span
        found[start - 1] += max(0, lacking)
    return found


def _part(block: Block, stub_name: str, stub: int) -> list[Text]:
    widths = _widths(block)
    found = [Text(block.title, style="bold")] if block.title else []
    if block.groups:
        found += _heading("", block.groups, widths, stub)
    found += _heading(stub_name, block.headers, widths, stub)
    total = stub + sum(width + _GAP for width in widths)
    rule = Text("-" * total, style="dim")
    found.append(rule)
    for number, row in enumerate(block.rows):
        found += [rule] * (row.ruled and number > 0) + _row(row, widths, stub)
    return found


def _heading(stub_name: str, headers: Sequence[Header], widths: Sequence[int], stub: int) -> list[Text]:
    """Headers, each centred over its columns when it covers several, right aligned over one."""
    spans, start = [], 0
    for header in headers:
        spans.append(sum(widths[start : start + header.span]) + _GAP * (header.span - 1))
        start += header.span
    wrapped = [_wrapped(header.text, width) for header, width in zip(headers, spans, strict=True)]
    names = _wrapped(stub_name, stub)
    count = max(map(len, [*wrapped, names]), default=0)
    found = []
    for n in range(count):
        line = _left(_from_below(names, n, count), stub)
        for header, texts, width in zip(headers, wrapped, spans, strict=True):
            text = _from_below(texts, n, count)
            line += " " * _GAP + (_centre(text, width) if header.span > 1 else _right(text, width))
        found.append(Text(line.rstrip()))
    return found


def _row(row: Row, widths: Sequence[int], stub: int) -> list[Text]:
    names = _wrapped(row.label, stub)
    cells = [_cell(cell, width) for cell, width in zip(row.cells, widths, strict=True)]
    found = []
    for n in range(max(map(len, [names, *cells]))):
        line = Text(_left(names[n] if n < len(names) else "", stub))
        for cell, texts, width in zip(row.cells, cells, widths, strict=True):
            align = _left if cell.prose else _right
            text = align(texts[n] if n < len(texts) else "", width)
            line.append(" " * _GAP)
            line.append(text, style=_style(cell))
        line.rstrip()
        found.append(line)
    return found


def _cell(cell: Cell, width: int) -> list[str]:
    """The number, and what is said of it below; words in lines of this width."""
    if not cell.applies:
        return [""]
    if cell.missing:
        return ["--"]
    if cell.prose:
        return _wrapped(cell.text, width)
    mark = (BEST if cell.best else "") + cell.mark
    return [text for text in (cell.text + mark, cell.detail) if text]


def _style(cell: Cell) -> str:
    return " ".join(part for part in ("bold" * cell.best, _STYLES[cell.shade]) if part)


def _wrapped(text: str, width: int) -> list[str]:
    return [line.plain.rstrip() for line in Text(text).wrap(_RULER, max(1, width))] or [""]


def _from_below(texts: Sequence[str], line: int, count: int) -> str:
    place = line - (count - len(texts))
    return texts[place] if place >= 0 else ""


def _left(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def _right(text: str, width: int) -> str:
    return " " * (width - cell_len(text)) + text


def _centre(text: str, width: int) -> str:
    return _left(" " * ((width - cell_len(text)) // 2) + text, width)


_RULER = Console(width=1000, file=sys.stderr)
