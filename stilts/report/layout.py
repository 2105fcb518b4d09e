"""Wide tables in parts that fit: families of columns stay together where they can, no number is cut."""

from collections.abc import Sequence
from dataclasses import replace

from stilts.report.form import Block


def parts(block: Block, widths: Sequence[float], stub: float, available: float) -> list[Block]:
    """The block as blocks that are no wider than `available`, the row labels in each.

    Args:
        block: with one header a column.
        widths: of its columns, with the space between them.
        stub: width of the row labels.
        available: width of a line; a column that is wider alone stands alone.
    """
    room = available - stub
    found: list[list[int]] = [[]]
    for family in _families(block):
        used = sum(widths[n] for n in found[-1])
        whole = sum(widths[n] for n in family)
        if found[-1] and used + whole > room and whole <= room:
            found.append([])
        for n in family:
            if found[-1] and sum(widths[m] for m in found[-1]) + widths[n] > room:
                found.append([])
            found[-1].append(n)
    return [_part(block, columns[0], columns[-1] + 1) for columns in found if columns]


def _families(block: Block) -> list[list[int]]:
    """Columns below one header; every column for itself where there is none."""
    spans = [group.span for group in block.groups] or [1] * len(block.columns)
    starts = [sum(spans[:n]) for n in range(len(spans))]
    return [list(range(start, start + span)) for start, span in zip(starts, spans, strict=True)]


def _part(block: Block, first: int, last: int) -> Block:
    groups, start = [], 0
    for group in block.groups:
        span = min(last, start + group.span) - max(first, start)
        if span > 0:
            groups.append(replace(group, span=span))
        start += group.span
    return replace(
        block,
        columns=block.columns[first:last],
        headers=block.headers[first:last],
        groups=tuple(groups),
        rows=tuple(replace(row, cells=row.cells[first:last]) for row in block.rows),
    )
