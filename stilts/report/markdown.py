"""Markdown with aligned columns: readable as it is in a terminal, a table wherever Markdown is rendered."""

from stilts.report.form import Block, Cell, Table


def write(table: Table) -> str:
    """The question as a heading, one table a block, the caption below."""
    parts = [f"## {table.question}"]
    for block in table.blocks:
        parts += [f"**{block.title}**"] * bool(block.title) + [_block(block, table.stub)]
    parts.append(table.caption)
    parts += [f"{mark} {text}" for mark, text in table.footnotes]
    parts += [f"**{text}**" for text in table.warnings]
    return "\n\n".join(parts) + f"\n\n<!-- {table.id}: data {table.digest} -->\n"


def cell_text(cell: Cell) -> str:
    """A cell as plain text."""
    if not cell.applies:
        return ""
    if cell.missing:
        return "--"
    value = f"**{cell.text}**" if cell.best else cell.text
    return " ".join(part for part in (value + cell.mark, cell.detail) if part)


def flat_headers(block: Block) -> list[str]:
    """Column headers with the group's name in front where there are groups."""
    groups = [group.text for group in block.groups for _ in range(group.span)] or [""] * len(block.columns)
    names = [header.text for header in block.headers for _ in range(header.span)]
    return [
        f"{group}: {name}" if group and name else group or name
        for group, name in zip(groups, names, strict=True)
    ]


def _block(block: Block, stub: str) -> str:
    rows = [[stub, *flat_headers(block)]]
    rows += [[row.label, *map(cell_text, row.cells)] for row in block.rows]
    rows = [[text.replace("|", "\\|") for text in row] for row in rows]
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [rows[0], rule, *rows[1:]]
    return "\n".join("| " + " | ".join(_pad(row, widths)) + " |" for row in lines)


def _pad(row: list[str], widths: list[int]) -> list[str]:
    return [
        row[0].ljust(widths[0]),
        *(text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True)),
    ]
