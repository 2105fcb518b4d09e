"""Prints figures beside their bars: one table an architecture and kind of kernel."""

import io
import sys
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kernels.inspect.bars import Bars, Limit
from kernels.inspect.report import Finding, Report


class Column(NamedTuple):
    """A figure, or several that are shown as their sum."""

    header: str
    figures: tuple[str, ...]
    digits: int = 0
    scale: float = 1.0


_SPILLS = ("spill_store_bytes", "spill_load_bytes", "local_loads", "local_stores")
_SECONDS = Column("compile s", ("compile_seconds",), 1)
_NVIDIA = (Column("registers", ("registers",)), Column("spills", _SPILLS), Column("stack", ("stack_bytes",)))
_ATTENTION = (
    *_NVIDIA,
    Column("shared KiB", ("shared_bytes",), 0, 1 / 1024),
    Column("CTAs/SM", ("ctas_per_sm",)),
    Column("tensor", ("hmma", "hgmma", "utchmma")),
    Column("instr./score", ("instructions_per_score",), 2),
    Column("MUFU", ("mufu",)),
    Column("est. TFLOP/s", ("estimate_tflops",)),
    Column("% of ceiling", ("ceiling_share",), 0, 100),
    _SECONDS,
)
_ROWS = (
    *_NVIDIA,
    Column("CTAs/SM", ("ctas_per_sm",)),
    Column("loads 128", ("global_loads_128bit",)),
    Column("loads narrow", ("global_loads_narrow",)),
    Column("stores 128", ("global_stores_128bit",)),
    Column("stores narrow", ("global_stores_narrow",)),
    _SECONDS,
)
_AMD = (
    Column("VGPR", ("vgpr",)),
    Column("SGPR", ("sgpr",)),
    Column("spills", ("vgpr_spills", "sgpr_spills")),
    Column("scratch", ("scratch_bytes",)),
    Column("LDS KiB", ("lds_bytes",), 0, 1 / 1024),
    Column("waves/SIMD", ("waves_per_simd",)),
    Column("MFMA", ("mfma",)),
    Column("loads 128 %", ("vector_loads_128bit_share",), 0, 100),
    _SECONDS,
)


def _kind(finding: Finding) -> str:
    attention = "attention" if finding.facts["kernel"] == "attention" else "rows"
    return f"{finding.facts['arch']}, {attention}"


def _columns(finding: Finding) -> Sequence[Column]:
    if finding.facts["vendor"] == "amd":
        return _AMD
    return _ATTENTION if finding.facts["kernel"] == "attention" else _ROWS


def render(report: Report, bars: Bars, *, width: int | None = None) -> str:
    """The tables as text, coloured if standard output is a terminal."""
    text = io.StringIO()
    terminal = sys.stdout.isatty()
    console = Console(
        file=text, force_terminal=terminal, width=width or (None if terminal else 160), highlight=False
    )
    archs = list(dict.fromkeys(finding.facts["arch"] for finding in report.findings))
    ordered = sorted(
        report.findings, key=lambda finding: (archs.index(finding.facts["arch"]), _kind(finding))
    )
    for kind, findings in groupby(ordered, _kind):
        console.print(_table(kind, list(findings), bars, report.triton))
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def _table(kind: str, findings: Sequence[Finding], bars: Bars, triton: str) -> Table:
    columns = _columns(findings[0])
    table = Table(title=kind, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("configuration", no_wrap=True)
    for column in columns:
        table.add_column(column.header, justify="right")
    for finding in findings:
        if finding.problem:
            table.add_row(finding.name, Text("does not compile", style="bold red"))
            continue
        limits = bars.limits(finding.facts, triton)
        cells = (_cell(finding, column, limits) for column in columns)
        table.add_row(_named(finding, limits), *cells)
    return table


def _named(finding: Finding, limits: Sequence[Limit]) -> Text:
    """In red if it falls short anywhere, also in a figure that has no column."""
    short = any(not limit.met(finding.figures.get(limit.figure)) for limit in limits)
    return Text(finding.name + (" !" if short else ""), style="bold red" if short else "")


def _cell(finding: Finding, column: Column, limits: Sequence[Limit]) -> Text:
    values = [finding.figures[figure] for figure in column.figures if figure in finding.figures]
    if not values:
        return Text("")
    text = Text(f"{sum(values) * column.scale:.{column.digits}f}")
    about = [limit for limit in limits if limit.figure in column.figures]
    if any(not limit.met(finding.figures.get(limit.figure)) for limit in about):
        text.stylize("bold red")
    # A bound of zero says nothing that the figure does not.
    shown = [limit for limit in about if limit.bound]
    if shown:
        sign = str(shown[0]).split()[0]
        text.append(f" {sign}{shown[0].bound * column.scale:g}", style="dim")
    return text
