"""LaTeX: booktabs and a value/detail pair of columns a cell, so that bold and shading keep the digits
aligned. A wide table stands in parts below each other, at full size.
"""

from collections.abc import Sequence
from dataclasses import replace

from stilts.report import layout
from stilts.report.form import Block, Cell, Header, Table
from stilts.report.latex_text import MACRO, escape, width

MACROS = (
    r"""% \input this file once in the preamble.
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{lmodern,textcomp,booktabs,graphicx}
\usepackage[table]{xcolor}
\providecommand{\stiltsRagged}{\raggedright\arraybackslash}
\newcolumntype{L}[1]{>{\stiltsRagged}p{#1}}
\providecommand{\stiltsBest}[1]{\textbf{#1}}
\providecommand{\stiltsDetail}[1]{\,{\scriptsize #1}}
% colour, value, detail; plain \cellcolor in such a pair would paint over the last digit
\providecommand{\stiltsShade}[3]{%
  \multicolumn{1}{>{\columncolor[HTML]{#1}[\tabcolsep][0pt]}r@{}}{#2} &
  \multicolumn{1}{@{}>{\columncolor[HTML]{#1}[0pt][\tabcolsep]}l}{#3}}
"""
    + MACRO
)

# Blue and orange differ for every kind of colour vision, and in grey; sign and star in the cell say it again.
SHADES = {"better": "CFE3F5", "worse": "FBE0C3"}

# In em of the body's 9 pt, of a line across ACL's two columns and of one of them.
_LINE, _COLUMN = 50.0, 24.0
_SEPARATION = 0.67
_LONGEST = 17.0
_PROSE = 24.0
_SMALL = 0.89
_MOST_LINES = 44


def write(table: Table) -> str:
    """Floats with caption and label; as many as hold all parts of all blocks, a page at most each."""
    narrow = (
        all(sum(_widths(block)) + _stub(block, table.stub) <= _COLUMN for block in table.blocks)
        and len(table.caption) < 400
    )
    kind, available = ("table", _COLUMN) if narrow else ("table*", _LINE)
    parts = [part for block in table.blocks for part in _fitted(block, table.stub, available)]
    floats: list[list[Block]] = [[]]
    # A caption of nine points has about a hundred letters a line.
    used = len(table.caption) // (45 if narrow else 100) + 3
    for part in parts:
        height = _height(part)
        if floats[-1] and used + height > _MOST_LINES:
            floats.append([])
            used = 2
        floats[-1].append(part)
        used += height
    lines = [f"% {table.id}: data {table.digest}"]
    for number, group in enumerate(floats):
        lines += [rf"\begin{{{kind}}}[tp]\centering\footnotesize\setlength{{\tabcolsep}}{{3pt}}"]
        lines += [_continued(table)] if number else [_caption(table) + _label("tab", table)]
        for part in group:
            lines += [r"\par\medskip", *_block(part, table.stub)]
        lines += [rf"\end{{{kind}}}"]
    return "\n".join([*lines, ""])


def write_figure(table: Table) -> str:
    """A float that includes the drawn PDF, with the table's caption."""
    lines = [
        f"% {table.id}: data {table.digest}",
        r"\begin{figure*}[t]\centering",
        rf"\includegraphics[width=\linewidth]{{{table.id}.pdf}}",
        _caption(table) + _label("fig", table),
        r"\end{figure*}",
    ]
    return "\n".join([*lines, ""])


def _label(kind: str, table: Table) -> str:
    return rf"\label{{{kind}:stilts-{table.id.replace('_', '-')}}}"


def _height(block: Block) -> int:
    """Lines of a part, with its rules and headers."""
    lines = 4
    for row in block.rows:
        words = max((width(cell.text) / _PROSE for cell in row.cells if cell.prose), default=0.0)
        lines += 1 + int(max(words, width(row.label) / _LONGEST))
    return lines


def _caption(table: Table) -> str:
    notes = [rf"{escape(mark)}\,{escape(text)}" for mark, text in table.footnotes]
    warnings = [rf"\textbf{{{escape(text)}}}" for text in table.warnings]
    # The short form goes to the list of tables, which would expand what it is given.
    text = " ".join([escape(table.caption), *notes, *warnings])
    return rf"\caption[{escape(table.id)}]{{\footnotesize {text}}}"


def _continued(table: Table) -> str:
    return rf"\addtocounter{{table}}{{-1}}\caption[]{{\footnotesize {escape(table.question)} (continued)}}"


def _fitted(block: Block, stub: str, available: float) -> list[Block]:
    """Parts that fit a line, and a page."""
    fitted = layout.parts(block, _widths(block), _stub(block, stub), available)
    most = _MOST_LINES - 14
    return [
        replace(part, rows=part.rows[first : first + most])
        for part in fitted
        for first in range(0, max(1, len(part.rows)), most)
    ]


def _stub(block: Block, stub: str) -> float:
    """Width of the row labels; longer ones stand on several lines."""
    longest = max(width(text) for text in (stub, block.title, *(row.label for row in block.rows)))
    return min(longest, _LONGEST)


def _widths(block: Block) -> list[float]:
    """Of the columns in em; a header wider than its columns widens the last of them."""
    found = []
    for number, header in enumerate(block.headers):
        cells = [row.cells[number] for row in block.rows]
        values = max((1.12 * width(cell.text) for cell in cells), default=0)
        values = min(values, _PROSE) if any(cell.prose for cell in cells) else values
        details = max((_SMALL * width(cell.detail) + width(cell.mark) + 0.2 for cell in cells), default=0)
        found.append(max(values + details, width(header.text)) + _SEPARATION)
    start = 0
    for group in block.groups:
        lacking = width(group.text) + _SEPARATION - sum(found[start : start + group.span])
        start += group.span
        found[start - 1] += max(0.0, lacking)
    return found


def _block(block: Block, stub: str) -> list[str]:
    cells = list(zip(*(row.cells for row in block.rows), strict=True))
    # A column without small print is one column, or its numbers would stand left of their header.
    widths = [2 if any(cell.detail or cell.mark for cell in column) else 1 for column in cells]
    columns = "".join(
        f" L{{{_PROSE}em}}" if any(cell.prose for cell in column) else " r@{}l" if width == 2 else " r"
        for width, column in zip(widths, cells, strict=True)
    )
    first = "l" if _stub(block, stub) < _LONGEST else f"L{{{_LONGEST}em}}"
    lines = [rf"\begin{{tabular}}{{{first}{columns}}} \toprule"]
    title = escape(block.title) if block.title else ""
    if block.groups:
        lines += [_headers(title, block.groups, widths), _rules(block.groups, widths)]
        title = ""
    lines += [_headers(title or escape(stub), block.headers, widths) + r" \midrule"]
    for number, row in enumerate(block.rows):
        printed = [_cell(cell, width) for cell, width in zip(row.cells, widths, strict=True)]
        ruled = row.ruled and number > 0
        lines += [r"\midrule"] * ruled + [" & ".join([escape(row.label), *printed]) + r" \\"]
    return [*lines, r"\bottomrule \end{tabular}"]


def _spans(headers: Sequence[Header], widths: list[int]) -> list[int]:
    """How many LaTeX columns each header covers."""
    spans, first = [], 0
    for header in headers:
        spans.append(sum(widths[first : first + header.span]))
        first += header.span
    return spans


def _headers(stub: str, headers: Sequence[Header], widths: list[int]) -> str:
    cells = [
        rf"\multicolumn{{{span}}}{{c}}{{{escape(header.text)}}}"
        for header, span in zip(headers, _spans(headers, widths), strict=True)
    ]
    return " & ".join([stub, *cells]) + r" \\"


def _rules(headers: Sequence[Header], widths: list[int]) -> str:
    rules, start = [], 2
    for header, span in zip(headers, _spans(headers, widths), strict=True):
        if header.text:
            rules.append(rf"\cmidrule(lr){{{start}-{start + span - 1}}}")
        start += span
    return " ".join(rules)


def _cell(cell: Cell, width: int) -> str:
    if not cell.applies:
        return " & " * (width - 1)
    if cell.missing:
        return rf"\multicolumn{{{width}}}{{c}}{{--}}"
    text = escape(cell.text)
    value = rf"\stiltsBest{{{text}}}" if cell.best else text
    if width == 1:
        return rf"\cellcolor[HTML]{{{SHADES[cell.shade]}}}{value}" if cell.shade else value
    detail = escape(cell.mark)
    detail += rf"\stiltsDetail{{{escape(cell.detail)}}}" if cell.detail else ""
    if cell.shade:
        return rf"\stiltsShade{{{SHADES[cell.shade]}}}{{{value}}}{{{detail}}}"
    return f"{value} & {detail}"
