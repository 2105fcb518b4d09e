"""The report's page: it answers, sorts, fits a telephone, and asks nobody for anything."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from stilts import tables
from stilts.report import html, pdf
from stilts.report.evidence import Evidence
from stilts.report.page import run_table
from stilts.study.config import Study

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def reported(sample: tuple[Study, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    _, runs = sample
    out = tmp_path_factory.mktemp("reported")
    asked = [
        "--study",
        str(runs.parents[1] / "sample.toml"),
        "--runs",
        str(runs.parent),
        "--output",
        str(out),
    ]
    assert tables.main([*asked, "--all", "--report"]) == 0
    return out


class Links(HTMLParser):
    """Everything a page could fetch or jump to."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.jumps: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.ids |= {known["id"] or ""} if "id" in known else set()
        if tag == "a":
            self.jumps.append(known.get("href") or "")
        self.loads += [value or "" for name, value in attrs if name in ("src", "srcset", "action", "data")]


def test_it_loads_nothing_and_every_link_is_on_it(reported: Path) -> None:
    text = (reported / "report.html").read_text(encoding="utf-8")
    found = Links()
    found.feed(text)
    assert all(load.startswith("data:image/png;base64,") for load in found.loads)
    assert len(found.loads) == 3
    assert all(jump.startswith("#") and jump[1:] in found.ids for jump in found.jumps)
    assert "default-src 'none'" in text
    assert not re.search(r"(?:https?:)?//[a-z]", re.sub(r"base64,[^\"]*", "", text))


def test_it_answers_shows_all_tables_and_all_runs(reported: Path, evidence: Evidence) -> None:
    text = (reported / "report.html").read_text(encoding="utf-8")
    for name in ("answer", "scores", "equivalence", "deploy", "breakeven", "claims", "repro", "runs"):
        assert f'id="{name}"' in text
    assert "Multi-task raises the mean of all targets by 10.0 points" in text
    assert all(f">{run}<" in text for run in evidence.plan)
    table = run_table(evidence)
    assert f"{len(evidence.plan)} of {len(evidence.plan)} runs are done" in table.caption


@pytest.mark.skipif(not pdf.can_compile(), reason="no pdflatex on this machine")
def test_the_paper_compiles_and_refers_to_its_tables(reported: Path) -> None:
    assert (reported / "paper.pdf").read_bytes().startswith(b"%PDF")
    text = (reported / "paper.tex").read_text(encoding="utf-8")
    assert r"Table~\ref{tab:stilts-scores}" in text
    assert r"Figure~\ref{fig:" in text or r"\includegraphics" in text
    assert r"\input" not in text.replace(r"\inputenc", "").replace("% \\input", "").replace(
        "[utf8]{inputenc}", ""
    )


def test_text_stands_out_by_aa() -> None:
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", html.STYLE))

    def light(colour: str) -> float:
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one: str, other: str) -> float:
        low, high = sorted((light(one), light(other)))
        return (high + 0.05) / (low + 0.05)

    white = "#ffffff"
    for ink, ground in (
        ("ink", white), ("dim", white), ("link", white),
        ("ink", colours["better"]), ("ink", colours["worse"]),
    ):  # fmt: skip
        assert contrast(colours[ink], ground) >= 4.5, (ink, ground)


def in_browser(page: Path, script: str, width: int) -> str:
    """Runs a script at the end of a copy of the page; what it leaves as the title."""
    text = page.read_text(encoding="utf-8").replace("</body>", f"<script>{script}</script></body>")
    copy = page.with_name(f"copy{width}.html")
    copy.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [BROWSER or "", "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},900",
         "--virtual-time-budget=3000", "--dump-dom", copy.as_uri()],
        capture_output=True, encoding="utf-8", check=True, timeout=120,
    )  # fmt: skip
    (title,) = re.findall(r"<title>(.*?)</title>", done.stdout)
    return str(title)


@needs_browser
def test_a_column_sorts_by_its_numbers_down_and_up(reported: Path) -> None:
    script = """
      const table = document.querySelector("#scores table"), button = table.querySelector("th button");
      const values = () => [...table.tBodies[0].rows].map(row => Number(row.children[1].dataset.value));
      const ordered = sign => values().every((v, n, all) => n === 0 || sign * (v - all[n - 1]) >= 0);
      button.focus();
      const found = [document.activeElement === button];
      for (const sign of [-1, 1]) { button.click(); found.push(ordered(sign)); }
      document.title = found.join(" ");
    """
    assert in_browser(reported / "report.html", script, 1280) == "true true true"


@needs_browser
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_sticks_out_of_the_window(reported: Path, width: int) -> None:
    """Wide tables scroll within themselves, and can be scrolled by keyboard."""
    script = """
      const wide = document.documentElement.scrollWidth - window.innerWidth;
      const scrolls = [...document.querySelectorAll(".wide")].every(one => one.tabIndex === 0);
      document.title = `${wide <= 0} ${scrolls} ${document.images.length} ` +
        [...document.images].every(one => one.naturalWidth > 100);
    """
    assert in_browser(reported / "report.html", script, width) == "true true 3 true"
