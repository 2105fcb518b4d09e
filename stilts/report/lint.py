"""Finds what would stop LaTeX, without LaTeX: braces, cells a row, characters that need a backslash."""

import re

from stilts.report.latex_text import escape

_TABULAR = re.compile(
    r"\\begin\{tabular\}\{(?P<spec>(?:[^{}]|\{[^{}]*\})*)\}(?P<body>.*?)\\end\{tabular\}", re.DOTALL
)
_COMMANDS = re.compile(r"\\(?:toprule|midrule|bottomrule|cmidrule(?:\([lr]+\))?\{\d+-\d+\})")
_SPAN = re.compile(r"\\multicolumn\{(\d+)\}")


def lint(text: str) -> list[str]:
    """Complaints about the LaTeX of one table; empty when there are none."""
    plain = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    complaints = _braces(plain)
    for match in _TABULAR.finditer(plain):
        columns = len(re.findall(r"[lcrL]", re.sub(r"@?\{[^{}]*\}", "", match["spec"])))
        for row in re.split(r"\\\\", match["body"]):
            cells = _cells(_COMMANDS.sub("", row).strip())
            if cells and cells != columns:
                complaints.append(f"a row has {cells} cells of {columns}: {row.strip()[:60]}")
    outside = _TABULAR.sub("", plain)
    if re.search(r"(?<!\\)&", outside):
        complaints.append("& outside a table needs a backslash")
    complaints += [f"{sign} needs a backslash" for sign in "%#_" if re.search(rf"(?<!\\){sign}", plain)]
    if len(re.findall(r"(?<!\\)\$", plain)) % 2:
        complaints.append("an odd number of $")
    # A text in another script stands beside its code points, which print in its place.
    known = re.sub(r"(\\stiltsUnicode\{[^{}]*\})\{[^{}]*\}", r"\1", plain)
    strange = sorted({letter for letter in known if escape(letter) != letter and not letter.isascii()})
    if strange:
        complaints.append(f"characters pdflatex may not know: {' '.join(map(ascii, strange))}")
    return complaints


def _braces(text: str) -> list[str]:
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", text.replace(r"\\", "")):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return ["a closing brace without an opening one"]
    return [f"{depth} braces are not closed"] if depth else []


def _cells(row: str) -> int:
    if not row:
        return 0
    spans = sum(int(span) - 1 for span in _SPAN.findall(row))
    shaded = len(re.findall(r"\\stiltsShade\{", row))
    return len(re.findall(r"(?<!\\)&", row)) + 1 + spans + shaded
