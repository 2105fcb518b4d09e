"""Every rendered table against its stored copy; `STILTS_GOLDEN=write pytest ...` stores what is rendered
now.
"""

import io
import os
from collections import Counter
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from stilts.report import latex, render, text
from stilts.report.evidence import Evidence
from stilts.report.form import Table
from stilts.report.spec import load_spec, table_names

GOLDEN = Path(__file__).parent / "golden"
EVERY_FORMAT = ("scores", "latency")
WIDTHS = (60, 80, 120)


def rendered(evidence: Evidence, name: str) -> dict[str, str]:
    """File name to text; one of the tables by language stands for the others."""
    texts = {}
    for built in render.build(load_spec(name), evidence):
        table = render.table_of(built)
        if name == "languages" and table.id != "languages-panx":
            continue
        for format_, (suffix, writer) in render.FORMATS.items():
            if format_ in ("latex", "md") or name in EVERY_FORMAT:
                texts[f"{table.id}.{suffix}"] = writer(table)
    return texts


def on_terminal(table: Table, width: int) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False, markup=False)
    for line in text.lines(table, width):
        console.print(line)
    return out.getvalue()


def stored_as(file_name: str, shown: str) -> None:
    """Compares with the copy there is, or makes it."""
    stored = GOLDEN / file_name
    if os.environ.get("STILTS_GOLDEN") == "write":
        stored.parent.mkdir(exist_ok=True)
        stored.write_text(shown, encoding="utf-8")
    assert shown == stored.read_text(encoding="utf-8"), f"{file_name} differs from {stored}"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", EVERY_FORMAT)
def test_no_number_is_cut_on_a_terminal(evidence: Evidence, name: str, width: int) -> None:
    (built,) = render.build(load_spec(name), evidence)
    table = render.table_of(built)
    shown = on_terminal(table, width)
    assert max(map(cell_len, shown.splitlines())) <= width
    words = Counter(word.rstrip(text.BEST) for word in shown.split())
    for address, cell in table.cells():
        for part in (cell.text + cell.mark, *cell.detail.split()):
            assert part in words or not part or f"{cell.text}{text.BEST}{cell.mark}" in shown, address
    stored_as(f"{name}.{width}.txt", shown)


@pytest.mark.parametrize("name", table_names())
def test_tables_print_as_they_did(evidence: Evidence, name: str) -> None:
    for file_name, shown in rendered(evidence, name).items():
        stored_as(file_name, shown)


def test_macros_print_as_they_did() -> None:
    stored_as("stilts.tex", latex.MACROS)


def test_no_stored_table_is_left_over(evidence: Evidence) -> None:
    made = {file for name in table_names() for file in rendered(evidence, name)} | {"stilts.tex"}
    made |= {f"{name}.{width}.txt" for name in EVERY_FORMAT for width in WIDTHS}
    assert {path.name for path in GOLDEN.iterdir()} == made
