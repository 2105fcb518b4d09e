"""The measured figures that are shown are those that are kept, and what is kept says what it is of."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MEASURED = sorted((ROOT / "tables" / "measured").iterdir())


def cells(folder: Path) -> dict[str, dict[str, str]]:
    """By the cell's address, how its number is printed."""
    table = json.loads((folder / "deploy.json").read_text())
    return {
        f"{row['key']}/{column}": cell
        for block in table["blocks"]
        for row in block["rows"]
        for column, cell in zip(block["columns"], row["cells"], strict=True)
    }


def test_the_readme_tells_the_kept_figures() -> None:
    text = (ROOT / "README.md").read_text()
    (shown,) = re.findall(r"<!-- measured: (\S+) -->\n(.*?)\n\n", text, flags=re.DOTALL)
    found = cells(ROOT / "tables" / "measured" / shown[0])
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in shown[1].splitlines()]
    header, lines = rows[0], rows[2:]
    assert len(lines) == 3
    places = {
        "weights (GB)": "{0}/weights", "peak (GB)": "{0}/peak", "cold start (s)": "{0}/cold",
        "queries/s": "{0}/rate", "1 task (ms)": "{0}/1/p50", "2 tasks": "{0}/2/p50", "3 tasks": "{0}/3/p50",
    }  # fmt: skip
    names = {"one model": "fp32/shared", "a model each": "fp32/resident", "swapped": "fp32/swapped"}
    for label, *numbers in lines:
        for title, number in zip(header[1:], numbers, strict=True):
            address = places[title].format(names[label])
            if title.endswith(("(ms)", "tasks")):
                layout, heads, column = address.rsplit("/", 2)
                address = f"{layout}/{heads}/{column}"
            assert found[address]["text"] == number, address


@pytest.mark.parametrize("folder", MEASURED, ids=lambda folder: folder.name)
def test_what_is_kept_says_where_it_is_from(folder: Path) -> None:
    about = json.loads((folder / "about.json").read_text())
    assert about.keys() == {"command", "device", "date", "versions", "commit", "shards"}
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in about["shards"].values())
    assert len({name.split("/")[1] for name in about["shards"]}) >= 3
    assert (folder / "deploy.md").read_text().count("|") > 50
    table = json.loads((folder / "deploy.json").read_text())
    assert not table.get("warnings"), table["warnings"]


def test_the_readme_s_excerpts_are_of_tables_that_are_kept() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.findall(r"<!-- excerpt: (\S+) -->\n(.*?)\n\n", text, flags=re.DOTALL)
    assert found
    for name, shown in found:
        kept = (ROOT / "tables" / "pictures" / name).read_text(encoding="utf-8").splitlines()
        assert set(shown.splitlines()) <= set(kept)
    for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text):
        assert (ROOT / picture).is_file()
