"""`python -m stilts.evaluate run`: a checkpoint's answers to tasks and languages, and their scores."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpc.files import write_json
from stilts import tasks
from stilts.evaluate.planning import Plan, make_plan, todo
from stilts.evaluate.store import Cell
from stilts.evaluate.summary import ScoreSummary, cell_line
from stilts.model.pretrained import default_cache, made
from stilts.run.settings import Attention

if TYPE_CHECKING:
    from stilts.evaluate.evaluator import Evaluator


def run(asked: argparse.Namespace) -> int:
    """Carries out the command; returns the exit code."""
    plan = make_plan(asked)
    for line in plan.lines:
        print(line)
    if asked.dry_run:
        describe(plan, asked)
        return 0
    with plan.store.folder.locked():
        plan.store.refuse_mixture([kept.cell for kept in plan.cells], asked.overwrite)
        _note_settings(plan, asked)
        board = ScoreSummary()
        _work(plan, asked, board)
    if not asked.predict_only:
        print("\n".join(board.lines()))
    print(f"predictions and scores lie in {asked.output or _shown(plan.store.folder.path)}")
    return 0


def describe(plan: Plan, asked: argparse.Namespace) -> None:
    """Prints the plan."""
    left = {kept.cell.name for kept in todo(plan, asked.overwrite)}
    first = plan.cells[0].cell
    print(f"model {plan.checkpoint.folder}, {first.model[:12]}, {first.dtype} on {plan.device}")
    for kept in plan.cells:
        cell = kept.cell
        head = f"head {cell.head}" if cell.head else f"layer {cell.layer}, {cell.pooling}"
        state = "to do" if cell.name in left else "done"
        mark = f", limited to {cell.limit}" if cell.limit else ""
        print(f"{cell.task:<14} {cell.language:<3} {cell.split:<4} {head}, {cell.source}{mark}: {state}")
    print(f"{len(left)} of {len(plan.cells)} to do; output {_shown(plan.store.folder.path)}")


def _work(plan: Plan, asked: argparse.Namespace, board: ScoreSummary) -> None:
    from stilts.evaluate import scoring

    left = {kept.cell.name for kept in todo(plan, asked.overwrite)}
    scores = scoring.rows_by_cell(plan.store)
    evaluator = None
    with _showing(len(plan.cells)) as show:
        for kept in plan.cells:
            name = kept.cell.name
            show.at(name)
            took = "(was there)"
            if name in left:
                if evaluator is None:
                    evaluator = _evaluator(plan, asked.batch_size, show.say)
                start = time.monotonic()
                scores[name] = evaluator.answer(kept, write_scores=not asked.predict_only)
                took = f"{time.monotonic() - start:.1f} s"
            elif name not in scores and not asked.predict_only:
                stored = {one.name: one for one in scoring.stored_in(plan.store.folder.path)}
                _, scores[name] = scoring.score_cell(plan.store, stored[name])
            show.done(f"{_line(kept.cell, [] if asked.predict_only else scores[name], board)}  {took}")


def _evaluator(plan: Plan, batch_size: str, say: Callable[[str], None]) -> "Evaluator":
    """Loads the model, which waits until something is to be computed."""
    from hpc.dtypes import DTYPES
    from stilts.evaluate.evaluator import Evaluator
    from stilts.evaluate.fitting import BatchSizeFinder
    from stilts.evaluate.loading import load

    dtype, device = plan.cells[0].cell.dtype, plan.device
    attention: Attention = "sdpa" if device == "cpu" else "triton"
    cache = made(default_cache())
    loaded = load(
        plan.checkpoint, plan.answers, device=device, dtype=DTYPES[dtype], attention=attention, cache=cache
    )
    fitting = BatchSizeFinder(None if batch_size == "auto" else int(batch_size), device=device, say=say)
    say(f"model {plan.checkpoint.source}: {dtype} on {device}, {fitting.tokens} tokens a batch")
    return Evaluator(
        loaded, plan.store, retrieval=plan.retrieval, rules=plan.rules, fitting=fitting, cache=cache / "data"
    )


def _line(cell: Cell, rows: Sequence[Mapping[str, Any]], board: ScoreSummary) -> str:
    if not rows:
        return f"{cell.task:<14} {cell.language:<3} predicted"
    values = {row["metric"]: row["value"] for row in rows}
    task, count = tasks.load(cell.task), rows[0]["n"]
    short = task.shortfall(split=cell.split, language=cell.language, source=cell.source, count=count)
    board.take(cell.task, cell.language, values, shortfall=short)
    return cell_line(
        cell.task, cell.language, values, count=rows[0]["n"], num_full=rows[0]["n_full"], limit=cell.limit
    )


class _ProgressPrinter:
    """Lines as they come; on a terminal with a bar beneath them."""

    def __init__(self, total: int, bar: Any = None) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=total) if bar else None

    def at(self, what: str) -> None:
        """What is being worked on."""
        if self._bar:
            self._bar.update(self._task, description=what)

    def say(self, line: str) -> None:
        """A line that stays."""
        if self._bar:
            self._bar.console.print(line, highlight=False, markup=False, soft_wrap=True)
        else:
            print(line, flush=True)

    def done(self, line: str) -> None:
        """A line that stays, and one step forward."""
        self.say(line)
        if self._bar:
            self._bar.advance(self._task)


@contextmanager
def _showing(total: int) -> Iterator[_ProgressPrinter]:
    if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        yield _ProgressPrinter(total)
        return
    from rich.progress import Progress

    with Progress(transient=True) as bar:
        yield _ProgressPrinter(total, bar)


def _note_settings(plan: Plan, asked: argparse.Namespace) -> None:
    first = plan.cells[0].cell
    write_json(
        plan.store.folder.path / "evaluation.json",
        {
            "model": {"source": plan.checkpoint.source, "folder": str(plan.checkpoint.folder)},
            "digest": first.model,
            "run": dict(plan.checkpoint.run),
            "dtype": first.dtype,
            "retrieval": asdict(plan.retrieval),
            "rules": asdict(plan.rules),
            "sources": list(plan.sources),
            "batch_size": asked.batch_size,
        },
    )


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
