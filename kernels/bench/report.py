"""The results as one JSON file, and as tables: fitted with rich on a terminal, aligned text elsewhere."""

import json
import math
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TextIO

from kernels.bench.goals import OURS, Goal
from kernels.bench.result import Row

SCHEMA = 1
SHORT = 128
"""Up to this length an attention kernel is judged by bytes, above by operations."""


@dataclass(kw_only=True, slots=True)
class Report:
    """Everything a run found."""

    machine: dict[str, object]
    extent: str
    created: str
    tiles: dict[str, dict[str, int]] = field(default_factory=dict)
    overhead_us: float | None = None
    fallbacks: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Replaces the file whole; numbers that JSON does not know become null."""
        derived = ("tflops", "gigabytes", "roof_share")
        content = asdict(self) | {
            "schema": SCHEMA,
            "rows": [asdict(row) | {name: getattr(row, name) for name in derived} for row in self.rows],
        }
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_text(json.dumps(_finite(content), indent=1) + "\n", encoding="utf-8")
        temporary.replace(path)


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """A table of words."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 1
    """Columns that hold words and are aligned on the left; a note, the last column, too."""


def tables(report: Report) -> list[Grid]:
    """One table a kernel, then the goals."""
    key = lambda row: row.kernel  # noqa: E731
    grids = [_kernel(kernel, list(rows)) for kernel, rows in groupby(sorted(report.rows, key=key), key)]
    if report.goals:
        rows = tuple((goal.what, goal.target, goal.measured, goal.verdict) for goal in report.goals)
        grids.append(Grid(title="Goals", columns=("what", "goal", "measured", ""), rows=rows, left=4))
    return grids


def _kernel(kernel: str, rows: Sequence[Row]) -> Grid:
    own = OURS.get(kernel, kernel)
    ours = {row.workload: row.cold.p50 for row in rows if row.variant == own and row.cold}
    lines = [_cells(row, ours.get(row.workload)) for row in rows]
    for line, before in zip(reversed(lines), reversed(lines[:-1]), strict=False):
        if line["BxS"] == before["BxS"]:
            line["BxS"] = ""
    return Grid(
        title=kernel, columns=tuple(lines[0]), rows=tuple(tuple(line.values()) for line in lines), left=2
    )


def _cells(row: Row, ours: float | None) -> dict[str, str]:
    """Words of one row by column; `ours` is what our implementation takes on the same batch."""
    cold, warm = row.cold, row.warm
    by_bytes = row.longest <= SHORT or not row.flop
    return {
        "BxS": row.workload,
        "variant": row.variant,
        "cold p50 us": _number(cold.p50 if cold else None),
        "p90": _number(cold.p90 if cold else None),
        "p99": _number(cold.p99 if cold else None),
        "warm p50 us": _number(warm.p50 if warm else None),
        "TFLOP/s": _number(row.tflops),
        "GB/s": _number(row.gigabytes if by_bytes else None),
        "roof": f"{row.roof_share:.0%}" if row.roof_share else "",
        "x ours": f"{cold.p50 / ours:.2f}" if cold and ours else "",
        "padded": f"{row.padding:.0%}",
        "max diff": f"{row.difference:.1e}" if row.difference is not None else "",
        "first s": _number(row.first_call_seconds),
        "note": note(row),
    }


def note(row: Row) -> str:
    """What must not be overlooked in a row."""
    status = "" if row.status == "ok" else row.status
    launched = "launched" if row.launch == "eager" else ""
    fallback = f"fell back: {'; '.join(row.fallbacks)}" if row.fallbacks else ""
    return ", ".join(part for part in (status, launched, row.reason, fallback) if part)


def _number(value: float | None) -> str:
    """Three digits that count."""
    if value is None:
        return ""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def show(report: Report, stream: TextIO | None = None) -> None:
    """Prints the tables and what surrounds them."""
    stream = stream or sys.stdout
    for grid in tables(report):
        if stream.isatty():
            _rich(grid, stream)
        else:
            print(plain(grid), file=stream)
    for line in _closing(report):
        print(line, file=stream)


def _closing(report: Report) -> Iterable[str]:
    if report.overhead_us is not None:
        yield f"An all but empty graph takes {report.overhead_us:.1f} us cold; it is part of every cold time."
    for reason in report.fallbacks:
        yield f"Fell back: {reason}"


def plain(grid: Grid) -> str:
    """Aligned columns; those without any content are left out."""
    kept = [i for i in range(len(grid.columns)) if any(row[i] for row in grid.rows)]
    cells = [[row[i] for i in kept] for row in (grid.columns, *grid.rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(kept))]
    last = len(grid.columns) - 1
    lines = [
        "  ".join(
            cell.ljust(width) if kept[i] < grid.left or kept[i] == last else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]
    return "\n".join((grid.title, lines[0], "-" * len(lines[0]), *lines[1:], ""))


def _rich(grid: Grid, stream: TextIO) -> None:
    """Coloured; plain where the window is too narrow for the figures."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    kept = [i for i in range(len(grid.columns)) if any(row[i] for row in grid.rows)]
    table = Table(title=grid.title, title_justify="left", box=box.SIMPLE_HEAD)
    for i in kept:
        words = i < grid.left or i == len(grid.columns) - 1
        table.add_column(
            grid.columns[i], justify="left" if words else "right", no_wrap=i < len(grid.columns) - 1
        )
    colours = {"met": "green", "not met": "red"}
    for row in grid.rows:
        table.add_row(*(Text(row[i], style=colours.get(row[i], "")) for i in kept))
    console = Console(file=stream)
    needed = Console(file=stream, width=10_000).measure(table).minimum
    if needed > console.width:
        print(plain(grid), file=stream)
    else:
        console.print(table)
