"""Shows how far the compiling is, on standard error."""

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from kernels.inspect.report import Finding


class ProgressLine:
    """A bar on a terminal, on standard error; elsewhere a plain line every tenth."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._bar = Progress(
            TextColumn("compiling"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("", total=total)

    def __enter__(self) -> "ProgressLine":
        if sys.stderr.isatty():
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def take(self, finding: Finding) -> None:
        """Takes note of one more configuration."""
        self._done += 1
        if sys.stderr.isatty():
            self._bar.update(self._task, advance=1, description=finding.title)
        elif self._done == self._total or self._done % max(1, self._total // 10) == 0:
            print(f"compiled {self._done} of {self._total}", file=sys.stderr, flush=True)
