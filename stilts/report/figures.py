"""Figures: what a builder draws, written as PDF and PNG with the numbers beside it. Needs matplotlib."""

import importlib.util
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpc.files import replacing
from stilts.report.form import Table

# Of Okabe and Ito's palette, without the yellow that white swallows: distinct for all colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#666666")
SETTINGS = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "savefig.bbox": "tight",
}
DOUBLE_COLUMN = 6.3
"""Inches across ACL's two columns: included as it is, no letter is smaller than drawn, 7 points."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A drawing and the table of its numbers, whose caption is the figure's."""

    table: Table
    draw: Callable[[Any], None]
    """Draws into a matplotlib figure."""
    size: tuple[float, float]
    """Inches."""
    caveat: str = ""
    """Printed into the picture, which travels without its caption."""


def can_draw() -> bool:
    """Whether matplotlib is installed; it is an optional extra."""
    return importlib.util.find_spec("matplotlib") is not None


def save(figure: Figure, folder: Path) -> list[Path]:
    """Writes PDF and PNG without dates, so that equal data give equal files."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    written = []
    with mpl.rc_context(SETTINGS):
        drawn = plt.figure(figsize=figure.size)
        figure.draw(drawn)
        _add_caveat(drawn, figure.caveat)
        for suffix, metadata in (("pdf", {"CreationDate": None}), ("png", {"Software": None})):
            path = folder / f"{figure.table.id}.{suffix}"
            with replacing(path) as temporary:
                drawn.savefig(temporary, format=suffix, dpi=200, metadata=metadata)
            written.append(path)
        plt.close(drawn)
    return written


def _add_caveat(drawn: Any, caveat: str) -> None:
    """Writes the caveat below everything that was drawn."""
    if not caveat:
        return
    drawn.canvas.draw()
    box = drawn.get_tightbbox()
    text = drawable("\n".join(textwrap.wrap(caveat, int(14 * box.width))))
    width, height = drawn.get_size_inches()
    drawn.text(
        box.x0 / width, (box.y0 - 0.08) / height, text, fontsize=7, color="#555555", va="top", ha="left"
    )


def drawable(text: str) -> str:
    """Text as it can be drawn: nothing is taken for a formula, and what the font lacks is a code point."""
    from matplotlib import font_manager, ft2font

    font = ft2font.FT2Font(font_manager.findfont("DejaVu Sans"))
    shown = [
        letter if letter == "\n" or font.get_char_index(ord(letter)) else f"<U+{ord(letter):04X}>"
        for letter in text
    ]
    return "".join(shown).replace("$", r"\$")


def ink_on(ground: Sequence[float]) -> str:
    """Black or white, whichever stands out more from a colour (RGB of 0 to 1): at least 4.5 : 1."""

    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(part) for part in ground[:3])
    light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "black" if (light + 0.05) ** 2 > 0.05 * 1.05 else "white"
