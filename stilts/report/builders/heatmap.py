"""A figure: the changes of the main table as colours, with their numbers and a star where they are not
zero.
"""

from dataclasses import replace
from typing import Any

from stilts.report import figures
from stilts.report.builders import scores
from stilts.report.evidence import Evidence
from stilts.report.figures import Figure
from stilts.report.form import SIGNS, Block, Cell, Table
from stilts.report.spec import Spec

_LEFT_OUT = "#DDDDDD"

COLUMNS = scores.COLUMNS


def build(spec: Spec, evidence: Evidence) -> list[Figure]:
    """Rows are regimes without the one compared against, columns as in the main table; none without rows."""
    table = scores.build(spec, evidence)[0]
    block = table.blocks[0]
    kept = tuple(row for row in block.rows if row.key != spec.against and not row.key.startswith("reported/"))
    if not kept:
        return []
    block = replace(block, rows=kept)
    legend = "Figure: signs as below; colours end at the largest change of a trained target."
    table = replace(table, blocks=(block,), caption=f"{table.caption} {legend}")
    size = (figures.DOUBLE_COLUMN, 0.9 + 0.32 * len(kept))
    trained = {task.name for task in evidence.trained_targets} | {"trained"}

    def draw(figure: Any) -> None:
        _draw(figure, table, spec.against, trained)

    return [Figure(table=table, draw=draw, size=size, caveat=evidence.study.caveat)]


def _draw(figure: Any, table: Table, against: str, trained: set[str]) -> None:
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap

    block = table.blocks[0]
    changes = np.array([[_number(cell) for cell in row.cells] for row in block.rows])
    # Retrieval gains ten times what trained targets do; it may saturate, or all others would look alike.
    scale = np.abs(changes[:, [column in trained for column in block.columns]])
    limit = max(1.0, float(np.nanmax(scale, initial=0.0)))
    shades = ["#B35806", "#F7F7F7", "#2166AC"]
    colours = LinearSegmentedColormap.from_list("orange-blue", shades).with_extremes(bad=_LEFT_OUT)
    axes = figure.add_subplot()
    image = axes.imshow(changes, cmap=colours, vmin=-limit, vmax=limit, aspect="auto")
    axes.set_xticks(
        range(len(block.columns)),
        [figures.drawable(header.text) for header in block.headers],
        rotation=35,
        ha="right",
    )
    axes.set_yticks(range(len(block.rows)), [figures.drawable(row.label) for row in block.rows])
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for y, row in enumerate(block.rows):
        for x, cell in enumerate(row.cells):
            ground = image.cmap(image.norm(changes[y, x]))
            axes.text(x, y, _text(cell), ha="center", va="center", fontsize=7, color=figures.ink_on(ground))
    _lines(axes, block)
    bar = figure.colorbar(image, ax=axes, pad=0.015, extend="both", aspect=30)
    bar.set_label(f"points against {against}")
    bar.outline.set_visible(False)


def _lines(axes: Any, block: Block) -> None:
    for edge in range(1, len(block.columns)):
        axes.axvline(edge - 0.5, color="white", linewidth=1)
    for edge in range(1, len(block.rows)):
        axes.axhline(edge - 0.5, color="white", linewidth=1)
    means = [n for n, column in enumerate(block.columns) if column in ("all", "trained")]
    if means:
        axes.axvline(min(means) - 0.5, color="black", linewidth=1)


def _number(cell: Cell) -> float:
    return float("nan") if cell.change is None else cell.change


def _text(cell: Cell) -> str:
    if cell.change is None:
        return "--"
    return f"{cell.change:+.1f}{SIGNS.get(cell.state, '')}{cell.mark}"
