"""LaTeX: booktabs and a value/detail pair of columns a cell, so that bold and shading keep the digits
aligned.
"""

import re

from stilts.report.form import Block, Cell, Header, Table

MACROS = r"""% \input this file once in the preamble.
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{lmodern,booktabs,graphicx}
\usepackage[table]{xcolor}
\providecommand{\stiltsBest}[1]{\textbf{#1}}
\providecommand{\stiltsDetail}[1]{\,{\tiny #1}}
\providecommand{\stiltsMark}[1]{\textsuperscript{#1}}
% colour, value, detail; plain \cellcolor in such a pair would paint over the last digit
\providecommand{\stiltsShade}[3]{%
  \multicolumn{1}{>{\columncolor[HTML]{#1}[\tabcolsep][0pt]}r@{}}{#2} &
  \multicolumn{1}{@{}>{\columncolor[HTML]{#1}[0pt][\tabcolsep]}l}{#3}}
% scales a block down to the line when it is too wide, never up
\newsavebox{\stiltsBox}
\providecommand{\stiltsFit}[1]{\sbox{\stiltsBox}{#1}%
  \ifdim\wd\stiltsBox>\linewidth\resizebox{\linewidth}{!}{\usebox{\stiltsBox}}\else\usebox{\stiltsBox}\fi}
"""

# Blue and orange differ for every kind of colour vision, and in grey; the sign in the cell says it again.
SHADES = {"better": "CFE3F5", "worse": "FBE0C3"}

_NARROW_COLUMNS = 4
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "\u00b1": r"$\pm$",
    "\u2020": r"$\dagger$",
    "\u2021": r"$\ddagger$",
    "\u00d7": r"$\times$",
    "\u2013": "--",
}
_NUMBER = re.compile(r"(?<![\w.])-(?=\d)")


def escape(text: str) -> str:
    """Text as LaTeX; a hyphen before a digit becomes a minus sign."""
    with_minus = _NUMBER.sub("\0", text)
    return "".join(_SPECIAL.get(letter, letter) for letter in with_minus).replace("\0", "$-$")


def write(table: Table) -> str:
    """A float with caption and label, all blocks of the table one below the other."""
    width = max(len(block.columns) for block in table.blocks)
    kind = "table" if width <= _NARROW_COLUMNS else "table*"
    lines = [
        f"% {table.id}: data {table.digest}",
        rf"\begin{{{kind}}}[t]\centering\scriptsize\setlength{{\tabcolsep}}{{3pt}}",
        rf"\caption{{{_caption(table)}}}{_label('tab', table)}",
    ]
    for block in table.blocks:
        lines += [r"\par\medskip", *_block(block, table.stub)]
    return "\n".join([*lines, rf"\end{{{kind}}}", ""])


def write_figure(table: Table) -> str:
    """A float that includes the drawn PDF, with the table's caption."""
    lines = [
        f"% {table.id}: data {table.digest}",
        r"\begin{figure*}[t]\centering",
        rf"\includegraphics[width=\linewidth]{{{table.id}.pdf}}",
        rf"\caption{{{_caption(table)}}}{_label('fig', table)}",
        r"\end{figure*}",
    ]
    return "\n".join([*lines, ""])


def _label(kind: str, table: Table) -> str:
    return rf"\label{{{kind}:stilts-{table.id.replace('_', '-')}}}"


def _caption(table: Table) -> str:
    notes = [rf"\stiltsMark{{{escape(mark)}}}\,{escape(text)}" for mark, text in table.footnotes]
    warnings = [rf"\textbf{{{escape(text)}}}" for text in table.warnings]
    return r"\footnotesize " + " ".join([escape(table.caption), *notes, *warnings])


def _block(block: Block, stub: str) -> list[str]:
    cells = list(zip(*(row.cells for row in block.rows), strict=True))
    # A column without small print is one column, or its numbers would stand left of their header.
    widths = [2 if any(cell.detail or cell.mark for cell in column) else 1 for column in cells]
    columns = "".join(" r@{}l" if width == 2 else " r" for width in widths)
    lines = [rf"\stiltsFit{{\begin{{tabular}}{{l{columns}}} \toprule"]
    title = escape(block.title) if block.title else ""
    if block.groups:
        lines += [_headers(title, block.groups, widths), _rules(block.groups, widths)]
        title = ""
    lines += [_headers(title or escape(stub), block.headers, widths) + r" \midrule"]
    for row in block.rows:
        printed = [_cell(cell, width) for cell, width in zip(row.cells, widths, strict=True)]
        lines += [r"\midrule"] * row.ruled + [" & ".join([escape(row.label), *printed]) + r" \\"]
    return [*lines, r"\bottomrule \end{tabular}}"]


def _spans(headers: tuple[Header, ...], widths: list[int]) -> list[int]:
    """How many LaTeX columns each header covers."""
    spans, first = [], 0
    for header in headers:
        spans.append(sum(widths[first : first + header.span]))
        first += header.span
    return spans


def _headers(stub: str, headers: tuple[Header, ...], widths: list[int]) -> str:
    cells = [
        rf"\multicolumn{{{span}}}{{c}}{{{escape(header.text)}}}"
        for header, span in zip(headers, _spans(headers, widths), strict=True)
    ]
    return " & ".join([stub, *cells]) + r" \\"


def _rules(headers: tuple[Header, ...], widths: list[int]) -> str:
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
    detail = rf"\stiltsMark{{{escape(cell.mark)}}}" if cell.mark else ""
    detail += rf"\stiltsDetail{{{escape(cell.detail)}}}" if cell.detail else ""
    if cell.shade:
        return rf"\stiltsShade{{{SHADES[cell.shade]}}}{{{value}}}{{{detail}}}"
    return f"{value} & {detail}"
