"""LaTeX: booktabs and a value/detail pair of columns a cell, so that bold and shading keep the digits
aligned.
"""

import re

from stilts.report.form import Block, Cell, Header, Row, Table

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
        rf"\caption{{{_caption(table)}}}\label{{tab:stilts-{table.id.replace('_', '-')}}}",
    ]
    for number, block in enumerate(table.blocks):
        lines += [r"\par\medskip"] * (number > 0) + _block(block, table.stub)
    return "\n".join([*lines, rf"\end{{{kind}}}", ""])


def _caption(table: Table) -> str:
    notes = [rf"\stiltsMark{{{escape(mark)}}}\,{escape(text)}" for mark, text in table.footnotes]
    warnings = [rf"\textbf{{{escape(text)}}}" for text in table.warnings]
    return " ".join([escape(table.caption), *notes, *warnings])


def _block(block: Block, stub: str) -> list[str]:
    lines = [rf"\stiltsFit{{\begin{{tabular}}{{l{' r@{}l' * len(block.columns)}}} \toprule"]
    title = escape(block.title) if block.title else ""
    if block.groups:
        lines += [_headers(title, block.groups), _rules(block.groups)]
        title = ""
    lines += [_headers(title or escape(stub), block.headers) + r" \midrule"]
    for row in block.rows:
        lines += [r"\midrule"] * row.ruled + [_row(row)]
    return [*lines, r"\bottomrule \end{tabular}}"]


def _headers(stub: str, headers: tuple[Header, ...]) -> str:
    cells = [rf"\multicolumn{{{2 * header.span}}}{{c}}{{{escape(header.text)}}}" for header in headers]
    return " & ".join([stub, *cells]) + r" \\"


def _rules(headers: tuple[Header, ...]) -> str:
    rules, start = [], 2
    for header in headers:
        end = start + 2 * header.span - 1
        if header.text:
            rules.append(rf"\cmidrule(lr){{{start}-{end}}}")
        start = end + 1
    return " ".join(rules)


def _row(row: Row) -> str:
    return " & ".join([escape(row.label), *map(_cell, row.cells)]) + r" \\"


def _cell(cell: Cell) -> str:
    if not cell.applies:
        return " & "
    if cell.missing:
        return r"\multicolumn{2}{c}{--}"
    text = escape(cell.text)
    value = rf"\stiltsBest{{{text}}}" if cell.best else text
    detail = rf"\stiltsMark{{{escape(cell.mark)}}}" if cell.mark else ""
    detail += rf"\stiltsDetail{{{escape(cell.detail)}}}" if cell.detail else ""
    if cell.shade:
        return rf"\stiltsShade{{{SHADES[cell.shade]}}}{{{value}}}{{{detail}}}"
    return f"{value} & {detail}"
