"""Markdown with aligned columns: readable as it is in a terminal, a table wherever Markdown is rendered."""

import re

from stilts.report.form import Block, Cell, Table

# A bracket alone is one; with what follows it may begin a link.
_SPECIAL = re.compile(r"([\\`*_|#~]|\](?=[(\[:]))")


def write(table: Table) -> str:
    """The question as a heading, one table a block, the caption below."""
    parts = [f"## {escape(table.question)}"]
    for block in table.blocks:
        parts += [f"**{escape(block.title)}**"] * bool(block.title) + [_block(block, table.stub)]
    parts.append(escape(table.caption))
    parts += [escape(f"{mark} {text}".strip()) for mark, text in table.footnotes]
    parts += [f"**{escape(text)}**" for text in table.warnings]
    return "\n\n".join(parts) + f"\n\n<!-- {table.id}: data {table.digest} -->\n"


def escape(text: str) -> str:
    """Text that Markdown and the HTML within it show as it is."""
    return _SPECIAL.sub(r"\\\1", text).replace("&", "&amp;").replace("<", "&lt;")


def cell_text(cell: Cell) -> str:
    """A cell as Markdown."""
    if not cell.applies:
        return ""
    if cell.missing:
        return "--"
    value = f"**{escape(cell.text)}**" if cell.best else escape(cell.text)
    return " ".join(part for part in (value + escape(cell.mark), escape(cell.detail)) if part)


def flat_headers(block: Block) -> list[str]:
    """Column headers, with the group's name in front where they need it."""
    groups = [group.text * group.essential for group in block.groups for _ in range(group.span)]
    groups = groups or [""] * len(block.columns)
    names = [header.text for header in block.headers for _ in range(header.span)]
    return [
        f"{group}: {name}" if group and name else group or name
        for group, name in zip(groups, names, strict=True)
    ]


def _block(block: Block, stub: str) -> str:
    rows = [[escape(text) for text in (stub, *flat_headers(block))]]
    rows += [[escape(row.label), *map(cell_text, row.cells)] for row in block.rows]
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    is_prose = [
        True,
        *(
            any(cell.prose for cell in cells)
            for cells in zip(*(row.cells for row in block.rows), strict=True)
        ),
    ]
    rule = ["-" * (width - 1) + "-:"[not left] for width, left in zip(widths, is_prose, strict=True)]
    lines = [rows[0], rule, *rows[1:]]
    return "\n".join("| " + " | ".join(_pad(row, widths, is_prose)) + " |" for row in lines)


def _pad(row: list[str], widths: list[int], is_prose: list[bool]) -> list[str]:
    return [
        text.ljust(width) if left else text.rjust(width)
        for text, width, left in zip(row, widths, is_prose, strict=True)
    ]
