"""Every rendered table against its stored copy; `STILTS_GOLDEN=write pytest ...` stores what is rendered
now.
"""

import os
from pathlib import Path

import pytest

from stilts.report import latex, render
from stilts.report.evidence import Evidence
from stilts.report.spec import load_spec, table_names

GOLDEN = Path(__file__).parent / "golden"
EVERY_FORMAT = ("scores", "latency")


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


@pytest.mark.parametrize("name", table_names())
def test_tables_print_as_they_did(evidence: Evidence, name: str) -> None:
    for file_name, text in rendered(evidence, name).items():
        stored = GOLDEN / file_name
        if os.environ.get("STILTS_GOLDEN") == "write":
            stored.parent.mkdir(exist_ok=True)
            stored.write_text(text)
        assert text == stored.read_text(), f"{file_name} differs from {stored}"


def test_macros_print_as_they_did() -> None:
    stored = GOLDEN / "stilts.tex"
    if os.environ.get("STILTS_GOLDEN") == "write":
        stored.write_text(latex.MACROS)
    assert stored.read_text() == latex.MACROS


def test_no_stored_table_is_left_over(evidence: Evidence) -> None:
    made = {file for name in table_names() for file in rendered(evidence, name)} | {"stilts.tex"}
    assert {path.name for path in GOLDEN.iterdir()} == made
