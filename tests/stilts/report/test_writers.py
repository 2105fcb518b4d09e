"""Writers and the lint: what is missing, escaped, spanned; and LaTeX that really compiles where it can."""

import csv
import io
import itertools
import json
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from hpc.errors import UserError
from stilts.report import figures, latex, markdown, numbers, pdf, plain, render
from stilts.report.builders.pareto import frontier
from stilts.report.form import EMPTY, Block, Cell, Header, Row, Table
from stilts.report.lint import lint

ROWS = (
    Row(
        key="direct",
        label="R&D_100%",
        cells=(Cell(text="61.5", value=61.5), Cell(), EMPTY, Cell(text="worse", shade="worse")),
    ),
    Row(
        key="single/mnli",
        label="single",
        cells=(
            Cell(
                text="63.0",
                value=63.0,
                detail="-1.5\u00b10.4",
                change=1.5,
                best=True,
                shade="better",
                runs=("a", "b"),
            ),
            Cell(text="7.0", value=7.0, mark="\u2020"),
            Cell(text="1.5", value=1.5),
            Cell(text="better"),
        ),
        ruled=True,
    ),
)
TABLE = Table(
    id="sample_table",
    question="Which?",
    caption="Points, 95 % interval #1.",
    blocks=(
        Block(
            columns=("xnli", "pawsx", "udpos", "verdict"),
            headers=tuple(Header(text=text) for text in ("XNLI", "PAWS-X", "UD|POS", "verdict")),
            groups=(Header(text="pairs", span=2), Header(text=""), Header(text="said")),
            rows=ROWS,
        ),
    ),
    footnotes=(("\u2020", "A probe."),),
    warnings=("LIMITED: 10 of 20.",),
)


def test_missing_prints_dashes_and_never_zero() -> None:
    assert r"\multicolumn{2}{c}{--}" in latex.write(TABLE)
    assert "| --" in " ".join(markdown.write(TABLE).split(r"R&amp;D\_100%")[1].split())[:30]
    line = next(line for line in plain.write_csv(TABLE).splitlines() if ",direct,pawsx" in line)
    assert line == "sample_table,direct,pawsx,,,,,,,,,0,,,"
    cell = json.loads(plain.write_json(TABLE))["blocks"][0]["rows"][0]["cells"][1]
    assert "value" not in cell


def test_what_does_not_apply_is_empty_and_not_missing() -> None:
    assert not EMPTY.missing
    assert Cell().missing
    assert markdown.cell_text(EMPTY) == ""
    assert "udpos" not in [
        line.split(",")[2] for line in plain.write_csv(TABLE).splitlines() if ",direct," in line
    ]


def test_latex_escapes_signs_and_keeps_pairs_aligned() -> None:
    text = latex.write(TABLE)
    assert r"R\&D\_100\%" in text
    assert r"$-$1.5$\pm$0.4" in text
    assert r"\stiltsShade{CFE3F5}{\stiltsBest{63.0}}{\stiltsDetail{" in text
    assert r"\cellcolor[HTML]{FBE0C3}worse" in text
    assert r"\label{tab:stilts-sample-table}" in text
    assert r"\begin{tabular}{l r@{}l r@{}l r r}" in text
    assert r"\cmidrule(lr){2-5} \cmidrule(lr){7-7}" in text
    assert lint(text) == []


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        ("{a", "not closed"),
        ("a}", "closing brace"),
        (r"\begin{tabular}{l r@{}l} a & b \\ \end{tabular}", "2 cells of 3"),
        (r"\begin{tabular}{l r} \multicolumn{2}{c}{x} & y \\ \bottomrule \end{tabular}", "3 cells of 2"),
        (r"\begin{tabular}{l r@{}l} a & \stiltsShade{FF}{x}{y} & z \\ \end{tabular}", "4 cells of 3"),
        ("a & b", "& outside"),
        ("50 % of", "% needs"),
        ("a_b", "_ needs"),
        ("#1", "# needs"),
        ("$x", "odd number"),
        ("\u4e2d", "may not know"),
    ],
)
def test_lint_finds(broken: str, complaint: str) -> None:
    assert any(complaint in found for found in lint(broken)), lint(broken)


def test_lint_lets_escaped_signs_and_comments_pass() -> None:
    assert lint("% 100 % of a_b & c {\n" + r"100\,\% of a\_b \& c \{ \#") == []


def test_markdown_is_aligned_flat_and_marks_the_best() -> None:
    lines = [line for line in markdown.write(TABLE).splitlines() if line.startswith("|")]
    assert len({len(line) for line in lines}) == 1
    assert "pairs: XNLI" in lines[0]
    assert "UD\\|POS" in lines[0]
    assert "**63.0** -1.5\u00b10.4" in lines[3]
    assert "7.0\u2020" in lines[3]


def test_csv_has_a_line_a_cell_with_addresses() -> None:
    rows = list(csv.DictReader(io.StringIO(plain.write_csv(TABLE))))
    assert [(row["row"], row["column"]) for row in rows][3:] == [
        ("single/mnli", column) for column in ("xnli", "pawsx", "udpos", "verdict")
    ]
    assert (rows[3]["value"], rows[3]["change"], rows[3]["runs"]) == ("63", "1.5", "a b")


def test_digest_follows_the_data_and_nothing_else() -> None:
    assert TABLE.digest == replace(TABLE).digest
    row = replace(ROWS[0], cells=(replace(ROWS[0].cells[0], value=61.6), *ROWS[0].cells[1:]))
    assert replace(TABLE, blocks=(replace(TABLE.blocks[0], rows=(row, ROWS[1])),)).digest != TABLE.digest
    noise = replace(ROWS[0], cells=(replace(ROWS[0].cells[0], value=61.5 + 1e-13), *ROWS[0].cells[1:]))
    assert replace(TABLE, blocks=(replace(TABLE.blocks[0], rows=(noise, ROWS[1])),)).digest == TABLE.digest


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (1234567.0, "1.23M"), (999.4, "999"), (999_900.0, "1.00M"), (2.5e12, "2.50T")],
)
def test_large_counts_print_with_a_letter(value: float, shown: str) -> None:
    assert numbers.scaled(value) == shown


def test_numbers_keep_three_digits_and_no_negative_zero() -> None:
    assert [numbers.significant(x) for x in (0.01234, 1.234, 12.34, 123.4, 12345.6)] == [
        "0.0123",
        "1.23",
        "12.3",
        "123",
        "12,346",
    ]
    assert numbers.signed(-0.04) == "+0.0"
    assert numbers.signed(-0.06) == "-0.1"


def test_text_stands_out_from_every_ground() -> None:
    def light(colour: tuple[float, float, float]) -> float:
        parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    steps = [n / 8 for n in range(9)]
    for ground in itertools.product(steps, steps, steps):
        ink = {"black": 0.0, "white": 1.0}[figures.ink_on(ground)]
        high, low = sorted((ink, light(ground)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5


def test_a_frontier_is_what_nothing_cheaper_exceeds() -> None:
    places = [(3.0, 1.0), (1.0, 0.0), (2.0, 2.0), (2.0, 1.5), (4.0, 2.0), (5.0, 3.0)]
    assert frontier(places) == [(1.0, 0.0), (2.0, 2.0), (5.0, 3.0)]
    assert frontier([]) == []


@pytest.mark.parametrize("caveat", ["$x$ and $", "\u4e2d\u6587", "\u0645\u0631\u062d", "a\\b {c} ^_"])
def test_figures_draw_any_caveat(caveat: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    made = figures.Figure(table=TABLE, draw=lambda figure: figure.add_subplot(), size=(3, 2), caveat=caveat)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(figures.save(made, tmp_path)) == 2


needs_latex = pytest.mark.skipif(not pdf.can_compile(), reason="no pdflatex on this machine")


@needs_latex
def test_latex_compiles_and_nothing_sticks_out(tmp_path: Path) -> None:
    render.write_macros(tmp_path)
    (tmp_path / "sample_table.tex").write_text(latex.write(TABLE))
    assert pdf.check(tmp_path, ["sample_table"])[0].read_bytes().startswith(b"%PDF")


@needs_latex
def test_latex_that_stops_or_points_nowhere_is_told(tmp_path: Path) -> None:
    render.write_macros(tmp_path)
    (tmp_path / "bad.tex").write_text(r"\nosuchmacro")
    with pytest.raises(UserError, match="Undefined control sequence"):
        pdf.check(tmp_path, ["bad"])
    (tmp_path / "bad.tex").write_text(r"See \ref{nowhere}.")
    with pytest.raises(UserError, match="nowhere"):
        pdf.check(tmp_path, ["bad"])
    (tmp_path / "bad.tex").write_text(r"\noindent\hbox{\rule{60cm}{1pt}}")
    with pytest.raises(UserError, match="Overfull"):
        pdf.check(tmp_path, ["bad"])
