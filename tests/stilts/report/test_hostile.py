"""Labels and captions that people and their data have, or should not: right or escaped in every format."""

import csv
import io
import json
import shutil
import subprocess
import unicodedata
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from stilts.report import html, latex, markdown, pdf, plain, render, text
from stilts.report.form import Block, Cell, Header, Row, Table, printable
from stilts.report.lint import lint

HOSTILE = [
    "caf\xe9", "na\xefve \u0161t\u011bst\xed", "\u0141\xf3d\u017a", "Stra\xdfe \xc6r\xf8", "cafe\u0301",
    "\u2265 1 seed", "\u2264 2 \u2260 3 \u2248 \u221e", "\u0394 \xb1 \xd7 \u2192 \u2212",
    "\u201cquoted\u201d \u2018so\u2019 \u2013 \u2014 \u2026", "\u0645\u0631\u062d\u0628\u0627",
    "\u05e9\u05dc\u05d5\u05dd", "\u4e2d\u6587\u6807\u7b7e", "\u65e5\u672c\u8a9e \u30e9\u30d9\u30eb",
    "\ud55c\uad6d\uc5b4", "\u0440\u0443\u0441\u0441\u043a\u0438\u0439",
    "\u0395\u03bb\u03bb\u03b7\u03bd\u03b9\u03ba\u03ac", "\u0939\u093f\u0928\u094d\u0926\u0940",
    "\u0e44\u0e17\u0e22", "\u1d39\u1d48 \U0001d4d0", "\U0001f600 ok",
    "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\x1b[31mred\x1b[0m",
    "bell\x07 null\x00 del\x7f", "\x9b31m", "\u202eevil\u202c", "tab\there", "two\nlines", "\u2028sep",
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "a & b &amp; c", '"quoted" \'so\'',
    "| pipe | cell |", "**bold** _it_ `code`", "[link](http://x)", "# heading", "~~gone~~",
    "50 % of $x$ {y}", "\\input{/etc/passwd}", "^caret~tilde_underscore#hash", "-1.5 and --x", "=1+1",
]  # fmt: skip
assert len(HOSTILE) >= 40
FORMS = {"latex": latex.write, "md": markdown.write, "html": html.write, "csv": plain.write_csv}


def table_of(label: str) -> Table:
    cells = (Cell(text=label, detail=label, note=label, value=1.0, best=True), Cell(text="1.0", value=1.0))
    block = Block(
        columns=("a", "b"),
        headers=(Header(text=label), Header(text="b")),
        groups=(Header(text=label, span=2),),
        title=label,
        rows=(Row(key="r", label=label, cells=cells),),
    )
    return printable(
        Table(
            id="hostile",
            question=label,
            caption=label,
            blocks=(block,),
            stub=label,
            footnotes=(("*", label),),
            warnings=(label,),
        )
    )


def with_plain_numbers(table: Table) -> Table:
    """A number may be of any length, and is never broken; labels are."""
    (block,) = table.blocks
    cells = (Cell(text="61.5", detail="+1.2\u00b10.4*", value=61.5), Cell(text="1.0"))
    headers = (Header(text="XNLI"), Header(text="b"))
    groups = (Header(text="pairs", span=2),)
    rows = tuple(replace(row, cells=cells) for row in block.rows)
    return replace(table, blocks=(replace(block, rows=rows, headers=headers, groups=groups),))


def shown(label: str) -> str:
    """The label as it may be shown: as it is, without what steers."""
    return printable(Table(id="x", question=label, caption="", blocks=())).question


class Read(HTMLParser):
    """Text and tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def is_steering(letter: str) -> bool:
    return (
        letter not in "\n" and unicodedata.category(letter) in ("Cc", "Cs")
    ) or letter in "\u202a\u202e\u2028"


@pytest.mark.parametrize("label", HOSTILE, ids=ascii)
def test_every_format_shows_it_and_does_nothing_else(label: str) -> None:
    table = table_of(label)
    texts = {name: write(table) for name, write in FORMS.items()} | {"json": plain.write_json(table)}
    for name, written in texts.items():
        assert not any(map(is_steering, written)), name
    assert lint(texts["latex"]) == []
    assert json.loads(texts["json"])["caption"] == shown(label)
    rows = list(csv.DictReader(io.StringIO(texts["csv"])))
    assert rows[0]["text"] == shown(label)
    assert "<script>alert" not in texts["md"]
    assert "<img" not in texts["md"]
    lines = [line for line in texts["md"].splitlines() if line.startswith("| ")]
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1
    page = Read()
    page.feed(texts["html"])
    assert page.tags <= {
        "html", "head", "meta", "title", "style", "body", "main", "section", "h2", "div", "table", "caption",
        "thead", "tbody", "tr", "th", "td", "button", "span", "p", "small", "script",
    }  # fmt: skip
    assert page.words.count(shown(label)) >= 8


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("label", HOSTILE, ids=ascii)
def test_no_line_is_longer_than_the_terminal(label: str, width: int) -> None:
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False, markup=False)
    for line in text.lines(table_of(label + " and more words that have to go on the next line"), width):
        console.print(line)
    assert not any(map(is_steering, out.getvalue()))
    assert max(cell_len(line) for line in out.getvalue().splitlines()) <= width


@pytest.mark.skipif(not pdf.can_compile(), reason="no pdflatex on this machine")
def test_all_of_them_compile(tmp_path: Path) -> None:
    render.write_macros(tmp_path)
    names = []
    for number, label in enumerate(HOSTILE):
        names.append(f"hostile{number}")
        (tmp_path / f"{names[-1]}.tex").write_text(
            latex.write(with_plain_numbers(replace(table_of(label), id=names[-1]))), encoding="utf-8"
        )
    pdf.check(tmp_path, names)
    if shutil.which("pdftotext") is None:
        pytest.skip("no pdftotext to read the PDF with")
    words = subprocess.run(
        ["pdftotext", str(tmp_path / "check.pdf"), "-"], capture_output=True, check=True, encoding="utf-8"
    ).stdout
    for said in (
        "caf\u00e9",
        "Stra\u00dfe",
        "U+4E2D 6587",
        "<script>",
        "\\input{/etc/passwd}",
        "\\x1b[31m",
    ):
        assert said in words, said
