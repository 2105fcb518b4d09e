"""Text as LaTeX, whatever is in it: letters of Latin scripts as they are, others by their code points too."""

import re
import unicodedata

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
    "|": r"\textbar{}",
    # Bare, they would belong to the end of the row before.
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    '"': r"\textquotedbl{}",
    "\u00a0": "~",
    "\u00a7": r"\S{}",
    "\u00b0": r"\textdegree{}",
    "\u00b1": r"$\pm$",
    "\u00b5": r"$\mu$",
    "\u00b7": r"$\cdot$",
    "\u00d7": r"$\times$",
    "\u00f7": r"$\div$",
    "\u03b1": r"$\alpha$",
    "\u03b2": r"$\beta$",
    "\u03bb": r"$\lambda$",
    "\u03bc": r"$\mu$",
    "\u03c3": r"$\sigma$",
    "\u0394": r"$\Delta$",
    "\u2013": "--",
    "\u2014": "---",
    "\u2018": "`",
    "\u2019": "'",
    "\u201c": "``",
    "\u201d": "''",
    "\u2020": r"$\dagger$",
    "\u2021": r"$\ddagger$",
    "\u2022": r"\textbullet{}",
    "\u2026": r"\dots{}",
    "\u20ac": r"\texteuro{}",
    "\u2190": r"$\leftarrow$",
    "\u2192": r"$\rightarrow$",
    "\u2212": r"$-$",
    "\u221e": r"$\infty$",
    "\u2248": r"$\approx$",
    "\u2260": r"$\neq$",
    "\u2264": r"$\leq$",
    "\u2265": r"$\geq$",
}
# What T1 with inputenc prints as it stands.
_T1 = frozenset(
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ"
    "ĂăĄąĆćČčĎďĐđĘęĚěĞğĹĺĽľŁłŃńŇňŐőŒœŔŕŘřŚśŞşŠšŢţŤťŮůŰűŸŹźŻżŽž"
)
_MINUS = re.compile(r"(?<![\w.])-(?=\d)")
MACRO = r"""% code points, text: what the document's fonts do not have prints as code points. With an engine
% and fonts that have it (LuaLaTeX and fontspec): \renewcommand{\stiltsUnicode}[2]{#2}
\providecommand{\stiltsUnicode}[2]{\textless{}#1\textgreater{}}
"""


def escape(text: str) -> str:
    """Text as LaTeX; a hyphen before a digit becomes a minus sign."""
    out: list[str] = []
    strange: list[str] = []
    for letter in [*unicodedata.normalize("NFC", _MINUS.sub("\u2212", text)), ""]:
        known = _SPECIAL.get(letter, letter if letter in _T1 or letter.isascii() else None)
        if known is None:
            strange.append(letter)
            continue
        if strange:
            codes = " ".join(f"{ord(one):04X}" for one in strange)
            out.append(rf"\stiltsUnicode{{U+{codes}}}{{{''.join(strange)}}}")
            strange = []
        out.append(known)
    return "".join(out)


def width(text: str) -> float:
    """About how wide a text is, in em of its font; rather too wide."""
    return sum(_width(letter) for letter in text)


def _width(letter: str) -> float:
    if letter in ".,:;'|!ijlI[]()":
        return 0.34
    if letter in "mwMW%@\u2026\u2014":
        return 0.95
    if letter.isupper():
        return 0.72
    if not letter.isascii() and letter not in _T1:
        # As code points, where it is no sign that LaTeX knows.
        return 0.8 if letter in _SPECIAL else 3.2
    return {"+": 0.78, "-": 0.78, "=": 0.78, " ": 0.34, "t": 0.42, "f": 0.38, "r": 0.42}.get(letter, 0.55)
