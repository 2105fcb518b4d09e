"""Scores of stored predictions: the data are read again, a model is not, and the numbers are the same.

`score_folder(path)` scores all of an evaluation's folder and writes the scores; of a run of a grid, whose
files are never changed, it only shows them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpc.errors import UserError
from hpc.files import is_there
from stilts import data, tasks
from stilts.data.sources import choose
from stilts.evaluate.averages import COUNTED
from stilts.evaluate.request import split_of
from stilts.evaluate.store import Cell, Store, StoredCell, score_rows
from stilts.evaluate.summary import ScoreSummary, cell_line
from stilts.run import records
from stilts.run.folder import RunFolder
from stilts.tasks import Task, metrics, types as task_types
from stilts.tasks.metrics import Predictions, Scored
from stilts.tasks.types import Answers, by_id


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredPredictions:
    """Predictions of a task in one language, and the data they are about."""

    kept: StoredCell
    predictions: Sequence[Mapping[str, Any]]

    @property
    def task(self) -> Task:
        """What was answered."""
        return tasks.load(self.kept.cell.task)

    @property
    def cell(self) -> Cell:
        """How it was asked."""
        return self.kept.cell

    @property
    def name(self) -> str:
        """Of its shard."""
        return self.kept.cell.name


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedPredictions:
    """Predictions beside their examples."""

    examples: Mapping[str, list[Any]]
    labels: tuple[str, ...]
    answers: Answers

    def predictions(self, language: str) -> Predictions:
        """As a metric takes them."""
        return Predictions(
            examples=self.examples,
            values=self.answers.predictions,
            confidences=self.answers.confidences,
            language=language,
        )


def stored_in(path: Path) -> list[StoredPredictions]:
    """All predictions of a folder, in the order of tasks and languages.

    Raises:
        UserError: the folder holds none.
    """
    store = Store(RunFolder(path.resolve()))
    rows = store.predictions()
    found = [
        StoredPredictions(kept=kept, predictions=rows[kept.cell.task, kept.cell.language])
        for kept in store.kept().values()
        if (kept.cell.task, kept.cell.language) in rows
    ]
    if not found:
        raise UserError(
            f"{path} holds no predictions; python -m stilts.evaluate run --output {path} ... makes some",
            code=3,
        )
    order = [*COUNTED, *(name for name in tasks.names() if name not in COUNTED)]
    return sorted(
        found, key=lambda one: (order.index(one.task.name), one.task.languages.index(one.cell.language))
    )


def read(stored: StoredPredictions) -> LoadedPredictions:
    """Reads the examples again and puts the predictions beside them.

    Raises:
        UserError: the data are not there any more, or are not those that were answered.
    """
    task, cell, kept = stored.task, stored.cell, stored.kept
    labels = data.labels(task, sources=kept.sources)
    actual = task.set_of(split=cell.split, language=cell.language)
    chosen = choose(task, language=cell.language, split=actual, sources=kept.sources)
    if (cell.source, cell.version) != (chosen.name, chosen.version):
        raise UserError(
            f"{stored.name} was answered on other data ({cell.source} {cell.version[:12]}) than are here "
            f"({chosen.name} {chosen.version[:12]}): bring those back, or evaluate anew",
            code=3,
        )
    kind = task_types.load(task.type)
    names = kind.schema.names
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for example in data.read(
        task, language=cell.language, split=cell.split, sources=kept.sources, limit=kept.rows
    ):
        for name in names:
            columns[name].append(example[name])
    rows = by_id(columns, stored.predictions, where=stored.name)
    answers = kind.answers(kind, columns, labels, rows, where=stored.name)
    return LoadedPredictions(examples=columns, labels=labels, answers=answers)


def score(stored: StoredPredictions, found: LoadedPredictions) -> Scored:
    """Scores predictions as the evaluation did that made them."""
    try:
        return metrics.load(stored.task.metric).score(found.predictions(stored.cell.language))
    except ValueError as error:
        raise UserError(f"the predictions of {stored.name} do not fit their data: {error}", code=3) from error


def score_cell(store: Store, stored: StoredPredictions) -> tuple[Scored, list[dict[str, Any]]]:
    """Scores one cell and writes its scores; returns them, and the rows that were written."""
    scored = score(stored, read(stored))
    rows = _rows(stored, scored)
    store.put_scores(stored.name, rows)
    return scored, rows


def score_folder(path: Path) -> int:
    """Scores all there is, shows it, and says what is missing; returns the exit code."""
    all_stored = stored_in(path)
    store, board = Store(RunFolder(path.resolve())), ScoreSummary()
    for stored in all_stored:
        if is_there(store.folder.spec):
            scored = score(stored, read(stored))
            rows = _rows(stored, scored)
        else:
            scored, rows = score_cell(store, stored)
        cell, count = stored.cell, rows[0]["n"]
        short = stored.task.shortfall(
            split=cell.split, language=cell.language, source=cell.source, count=count
        )
        board.take(cell.task, cell.language, scored.values, shortfall=short)
        shown = cell_line(
            cell.task, cell.language, scored.values, count=count, num_full=rows[0]["n_full"], limit=cell.limit
        )
        print(shown, flush=True)
        if scored.missing:
            print(f"  {scored.missing} of {count} have no prediction: they count as wrong")
    print("\n".join(board.lines()))
    for line in lacking(all_stored):
        print(line)
    return 0


def _rows(stored: StoredPredictions, scored: Scored) -> list[dict[str, Any]]:
    cell = stored.cell
    version = f"{cell.source} {cell.version}"
    return score_rows(stored.kept, scored, split=cell.split, data=version, num_full=stored.kept.num_full)


def lacking(all_stored: Sequence[StoredPredictions]) -> Iterator[str]:
    """A line for each task that lacks languages, and for each of the nine that is not there at all."""
    there: dict[str, set[str]] = {}
    for stored in all_stored:
        there.setdefault(stored.cell.task, set()).add(stored.cell.language)
    for name in [*there, *(name for name in COUNTED if name not in there)]:
        missing = [code for code in tasks.load(name).languages if code not in there.get(name, ())]
        if missing:
            what = "all languages" if name not in there else ", ".join(missing)
            yield f"missing: {name} in {what}"


def rows_by_cell(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Scores that were written before, by the name of their cell."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in records.read("scores", [store.folder.records / "scores"]).to_pylist():
        if row["split"] == split_of(tasks.load(row["target"])):
            found.setdefault(f"{row['target']}-{row['language']}", []).append(row)
    return found
