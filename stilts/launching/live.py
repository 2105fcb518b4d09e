"""The live view: a bar for the whole launch, a line for each running one; what ends scrolls by above."""

from collections.abc import Callable, Iterable
from contextlib import suppress

from rich.console import RenderableType
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column

from hpc.jobs import Event
from stilts.launching.estimate import say_seconds
from stilts.launching.progress import Tally, line_of

_COLOURS = {"done": "green", "failed": "red", "cancelled": "yellow", "blocked": "yellow"}


class LiveView:
    """See `stilts.launching.progress.View`."""

    def __init__(self, tally: Tally, explain: Callable[[Event], str]) -> None:
        self._tally = tally
        self._explain = explain
        self._bars = _Bars(tally)

    def __enter__(self) -> "LiveView":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def watch(self, event: Event) -> None:
        """See `stilts.launching.progress.View`."""
        seconds = self._tally.take(event)
        if event.state == "running":
            self._bars.add(event.name)
            return
        self._bars.drop(event.name)
        if event.state == "blocked":
            return
        word, _, rest = line_of(event, seconds, self._explain).partition(" ")
        colour = _COLOURS.get(word, "default")
        self._bars.console.print(f"[{colour}]{word:>9}[/] {escape(rest)}", highlight=False, soft_wrap=True)


class _Bars(Progress):
    """Reads the runs' progress files whenever it is drawn."""

    def __init__(self, tally: Tally) -> None:
        # Before the rest: the base class draws once while it is made.
        self._tally = tally
        self._tasks_by_run: dict[str, TaskID] = {}
        self._whole = TaskID(-1)
        super().__init__(
            TextColumn("{task.description}", table_column=Column(no_wrap=True)),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[amount]}", table_column=Column(no_wrap=True)),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[note]}", table_column=Column(no_wrap=True, overflow="ellipsis")),
            refresh_per_second=2,
            transient=True,
        )
        self._whole = self.add_task("[bold]all runs", total=tally.total, amount="", note="starting")

    def add(self, run_id: str) -> None:
        """A line for a run."""
        self._tasks_by_run[run_id] = self.add_task(escape(run_id), total=None, amount="", note="")

    def drop(self, run_id: str) -> None:
        """Takes the run's line away."""
        task = self._tasks_by_run.pop(run_id, None)
        if task is not None:
            self.remove_task(task)

    def get_renderables(self) -> Iterable[RenderableType]:
        """Brings all lines up to date, then draws them."""
        for run_id, task in list(self._tasks_by_run.items()):
            line = self._tally.progress(run_id)
            if line.get("total"):
                amount = f"{line['done']}/{line['total']} {line['unit']}"
                self._show(task, line["done"], line["total"], amount, line["note"])
        left = self._tally.seconds_left()
        note = f"about {say_seconds(left)} left" if left is not None else ""
        if not self._tally.running and not self._tally.ended:
            note = "starting"
        amount = f"{self._tally.ended}/{self._tally.total}"
        self._show(self._whole, self._tally.ended, self._tally.total, amount, note)
        yield from super().get_renderables()

    def _show(self, task: TaskID, done: int, total: int, amount: str, note: str) -> None:
        with suppress(KeyError):
            self.update(task, completed=done, total=total, amount=amount, note=escape(note))
