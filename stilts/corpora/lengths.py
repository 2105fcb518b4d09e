"""Lengths and fertility of data by task and language: the table and the figure of `stilts data stats`."""

import csv
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from stilts.corpora.statistics import Statistic, quantile
from stilts.report import figures, markdown
from stilts.report.form import EMPTY, Block, Cell, Header, Row, Table, printable
from stilts.report.names import task_name
from stilts.report.text import show as on_terminal
from stilts.study.config import Study

Form = Literal["markdown", "csv", "json"]

_COLUMNS = {
    "examples": "Examples",
    "words": "Words",
    "subwords": "Subwords",
    "fertility": "Subwords a word",
    "share_cut": "Cut %",
    "windows": "Windows",
    "mean": "Mean",
    "p50": "p50",
    "p95": "p95",
    "max": "Max",
}
_CHARACTER = "*"
_NOTE = (
    "Characters, and subwords a character: the script puts no spaces between words. Tagged sentences bring "
    "their words in every script."
)
_ROW = 0.155
"""Inches of a language's row."""


def show(study: Study, found: Sequence[Statistic], *, form: Form) -> None:
    """Prints the table; CSV and JSON have one line or object a set."""
    rows = [one.as_row() for one in found]
    if form == "markdown":
        made = printable(table(study, found, name="lengths"))
        if sys.stdout.isatty():
            on_terminal(made)
        else:
            print(markdown.write(made), end="")
    elif form == "json":
        print(json.dumps({"study": study.name, "sets": rows}, indent=1))
    else:
        writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def draw(study: Study, found: Sequence[Statistic], path: Path) -> None:
    """Writes the figure as PDF, and as PNG beside it."""
    tasks = dict.fromkeys(one.task for one in found)
    languages = _by_fertility(found)
    height = 0.9 + max(0.3 * len(tasks), _ROW * len(languages), 1.2)
    figure = figures.Figure(
        table=table(study, found, name=path.stem),
        draw=lambda drawn: _draw(drawn, found),
        size=(figures.DOUBLE_COLUMN, height),
        caveat=study.caveat,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    for written in figures.save(figure, path.parent):
        print(f"wrote {written}", file=sys.stderr)


def table(study: Study, found: Sequence[Statistic], *, name: str) -> Table:
    """One block a task, one row a language and set."""
    blocks = []
    for task in dict.fromkeys(one.task for one in found):
        some = [one for one in found if one.task == task]
        blocks.append(
            Block(
                title=f"{task_name(task)}, sequences of at most {some[0].max_length} tokens",
                columns=tuple(_COLUMNS),
                headers=tuple(Header(text=text) for text in _COLUMNS.values()),
                rows=tuple(_row(one) for one in some),
            )
        )
    marked = any(one.unit == "character" for one in found)
    return Table(
        id=name,
        question=f"How long is the data of {study.name}, in which language?",
        caption=(
            "Lengths count the tokens of a sequence with its special ones; for retrieval, of the foreign "
            "sentences. Cut: examples longer than a sequence, which lose their end or start, or become "
            "several (tags, spans)." + f" {study.caveat}" * bool(study.caveat)
        ),
        blocks=tuple(blocks),
        stub="Set",
        footnotes=((_CHARACTER, _NOTE),) if marked else (),
    )


def _row(one: Statistic) -> Row:
    mark = _CHARACTER * (one.unit == "character")
    cells = {
        "examples": Cell(text=f"{one.examples:,}", value=one.examples),
        "words": Cell(text=f"{one.words:,}", value=one.words, mark=mark),
        "subwords": Cell(text=f"{one.subwords:,}", value=one.subwords),
        "fertility": Cell(text=f"{one.fertility:.2f}", value=one.fertility, mark=mark),
        "share_cut": Cell(text=f"{100 * one.share_cut:.1f}", value=100 * one.share_cut),
        "windows": EMPTY if one.windows is None else Cell(text=f"{one.windows:.2f}", value=one.windows),
        "mean": Cell(text=f"{one.mean:.1f}", value=one.mean),
    }
    for key, share in (("p50", 0.5), ("p95", 0.95), ("max", 1.0)):
        cells[key] = Cell(text=str(one.quantile(share)), value=one.quantile(share))
    return Row(
        key=f"{one.language}-{one.split}",
        label=f"{one.language} {one.split}",
        cells=tuple(cells[key] for key in _COLUMNS),
    )


def _draw(drawn: Any, found: Sequence[Statistic]) -> None:
    left, right = drawn.subplots(1, 2, width_ratios=(1.15, 1), gridspec_kw={"wspace": 0.28})
    _draw_lengths(left, found)
    _draw_fertility(right, found)


def _draw_lengths(axes: Any, found: Sequence[Statistic]) -> None:
    """A line a task: 5th to 95th percentile, quartiles, median over all its sets; a dot each language."""
    tasks = list(dict.fromkeys(one.task for one in found))
    blue, orange = figures.COLOURS[0], figures.COLOURS[1]
    for place, task in enumerate(tasks):
        some = [one for one in found if one.task == task]
        counts = np.sum([one.counts for one in some], axis=0)
        low, quarter, middle, three, high = (
            quantile(counts, share) for share in (0.05, 0.25, 0.5, 0.75, 0.95)
        )
        axes.hlines(place, low, high, color=blue, linewidth=1)
        axes.hlines(place, quarter, three, color=blue, linewidth=4)
        axes.plot([middle], [place], "|", color="white", markersize=6, markeredgewidth=1.5)
        axes.plot([some[0].max_length], [place], "|", color="#888888", markersize=8)
        medians = [
            quantile(np.sum([one.counts for one in some if one.language == language], axis=0), 0.5)
            for language in dict.fromkeys(one.language for one in some)
        ]
        if len(medians) > 1:
            axes.plot(medians, [place + 0.3] * len(medians), ".", color=orange, markersize=3, alpha=0.8)
    axes.set_yticks(range(len(tasks)), [task_name(task) for task in tasks])
    axes.set_ylim(len(tasks) - 0.4, -0.6)
    axes.set_xscale("log", base=2)
    axes.set_xlabel(
        "tokens a sequence: 5-95 %, quartiles, median;\norange: median of each language; grey: limit"
    )
    ticks = [8, 16, 32, 64, 128, 256, 512]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.grid(axis="x", color="#dddddd", linewidth=0.5)
    axes.set_axisbelow(True)


def _draw_fertility(axes: Any, found: Sequence[Statistic]) -> None:
    """A row a language: a dot each task, a line at their median; hollow where characters are counted."""
    languages = _by_fertility(found)
    for place, language in enumerate(languages):
        for unit, face in (("word", figures.COLOURS[0]), ("character", "white")):
            values = _fertilities(found, language, unit)
            axes.plot(
                values,
                [place] * len(values),
                "o",
                color=figures.COLOURS[0],
                markerfacecolor=face,
                markersize=3,
                alpha=0.7,
                markeredgewidth=0.6,
            )
        middle = _fertility(found, language)
        axes.plot([middle], [place], "|", color=figures.COLOURS[1], markersize=7, markeredgewidth=1.5)
    axes.set_yticks(range(len(languages)), languages)
    axes.set_ylim(len(languages) - 0.4, -0.6)
    axes.set_xlim(left=0)
    hollow = any(one.unit == "character" for one in found)
    axes.set_xlabel("subwords a word, by task; orange: median" + "\nhollow: a character" * hollow)
    axes.grid(axis="x", color="#dddddd", linewidth=0.5)
    axes.set_axisbelow(True)


def _by_fertility(found: Sequence[Statistic]) -> list[str]:
    languages = dict.fromkeys(one.language for one in found)
    return sorted(languages, key=lambda code: (_fertility(found, code), code))


def _fertility(found: Sequence[Statistic], language: str) -> float:
    """Median over the sets; characters count only where there are no words."""
    values = _fertilities(found, language, "word") or _fertilities(found, language, "character")
    return statistics.median(values)


def _fertilities(found: Sequence[Statistic], language: str, unit: str) -> list[float]:
    return [one.fertility for one in found if one.language == language and one.unit == unit and one.words]
