"""Scores of stored predictions: the data are read again, a model is not, and the numbers are the same.

`score_folder(path)` scores all of an evaluation's folder and writes the scores; of a run of a grid, which is
never changed, it only shows them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpc.errors import UserError
from stilts import data, tasks
from stilts.data.sources import choose
from stilts.evaluate.request import split_of
from stilts.evaluate.rows import Answers, answers_of, score_rows
from stilts.evaluate.store import Kept, Store
from stilts.evaluate.summary import Board, cell_line
from stilts.run import records
from stilts.run.folder import RunFolder
from stilts.run.provenance import code_version
from stilts.run.specs import EvaluateSpec
from stilts.tasks import Task, metrics, types as task_types
from stilts.tasks.metrics import Scored
from stilts.tasks.metrics.averages import COUNTED


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """Predictions of a task in one language, and the data they are about."""

    task: Task
    language: str
    split: str
    sources: tuple[str, ...]
    rows: int | None
    """Rows read at most."""
    limit: str
    """The same as it was asked for."""
    predictions: Sequence[Mapping[str, Any]]
    kept: Kept | None
    """What the folder of an evaluation says of them; None in a run of a grid."""

    @property
    def name(self) -> str:
        """Of its shard."""
        return f"{self.task.name}-{self.language}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """Predictions beside their examples."""

    examples: Mapping[str, list[Any]]
    labels: tuple[str, ...]
    answers: Answers


def stored_in(path: Path) -> list[Stored]:
    """All predictions of a folder, in the order of tasks and languages.

    Raises:
        UserError: the folder holds none.
    """
    folder = RunFolder(path.resolve())
    store = Store(folder)
    rows = store.predictions() if folder.predictions.is_dir() else {}
    if folder.spec.exists():
        found = list(_of_run(folder, rows))
    else:
        found = [
            Stored(
                task=tasks.load(kept.cell.task),
                language=kept.cell.language,
                split=kept.cell.split,
                sources=kept.sources,
                rows=kept.rows,
                limit=kept.cell.limit,
                predictions=rows[kept.cell.task, kept.cell.language],
                kept=kept,
            )
            for kept in store.kept().values()
            if (kept.cell.task, kept.cell.language) in rows
        ]
    if not found:
        raise UserError(
            f"{path} holds no predictions; python -m stilts.evaluate run --output {path} ... makes some",
            code=3,
        )
    order = [*COUNTED, *(name for name in tasks.names() if name not in COUNTED)]
    return sorted(found, key=lambda one: (order.index(one.task.name), one.task.languages.index(one.language)))


def read(stored: Stored) -> Read:
    """Reads the examples again and puts the predictions beside them.

    Raises:
        UserError: the data are not there any more, or are not those that were answered.
    """
    task = stored.task
    labels = data.labels(task, sources=stored.sources) if task.type in ("classify", "tag") else ()
    actual = task.set_of(split=stored.split, language=stored.language)
    chosen = choose(task, language=stored.language, split=actual, sources=stored.sources)
    if stored.kept is not None:
        before = (stored.kept.cell.source, stored.kept.cell.version)
        if before != (chosen.name, chosen.version):
            raise UserError(
                f"{stored.name} was answered on other data ({before[0]} {before[1][:12]}) than there are now "
                f"({chosen.name} {chosen.version[:12]}): bring those back, or evaluate anew",
                code=3,
            )
    names = task_types.load(task.type).SCHEMA.names
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for example in data.read(
        task, language=stored.language, split=stored.split, sources=stored.sources, limit=stored.rows
    ):
        for name in names:
            columns[name].append(example[name])
    answers = answers_of(task, columns, labels, stored.predictions, where=stored.name)
    return Read(examples=columns, labels=labels, answers=answers)


def score(stored: Stored, found: Read) -> Scored:
    """Scores predictions as the evaluation did that made them."""
    try:
        return metrics.score(
            stored.task.scorer,
            examples=found.examples,
            predictions=found.answers.predictions,
            confidences=found.answers.confidences,
            language=stored.language,
        )
    except ValueError as error:
        raise UserError(f"the predictions of {stored.name} do not fit their data: {error}", code=3) from error


def score_cell(store: Store, stored: Stored) -> tuple[Scored, list[dict[str, Any]]]:
    """Scores one cell and writes its scores; returns them, and the rows that were written."""
    assert stored.kept is not None, "a run of a grid is never changed"
    scored = score(stored, read(stored))
    rows = score_rows(
        scored,
        num_full=stored.kept.num_full,
        **stored.kept.common,
        target=stored.task.name,
        language=stored.language,
        split=stored.split,
        data=f"{stored.kept.cell.source} {stored.kept.cell.version}",
        model=stored.kept.cell.model,
        code=code_version(),
    )
    store.put_scores(stored.name, rows)
    return scored, rows


def score_folder(path: Path) -> int:
    """Scores all there is, shows it, and says what is missing; returns the exit code."""
    all_stored = stored_in(path)
    store, board = Store(RunFolder(path.resolve())), Board()
    for stored in all_stored:
        if stored.kept is None and stored.task.scorer == "pairs":
            print(f"{stored.name} is left out: a run of a grid keeps the gold pairs of a pool only")
            continue
        if stored.kept is None:
            scored = score(stored, read(stored))
        else:
            scored, _ = score_cell(store, stored)
        board.take(stored.task.name, stored.language, scored.values, limit=stored.limit)
        count = len(scored.by_example)
        full = count if stored.kept is None else max(count, stored.kept.num_full)
        print(
            cell_line(
                stored.task.name,
                stored.language,
                scored.values,
                count=count,
                num_full=full,
                limit=stored.limit,
            ),
            flush=True,
        )
        if scored.missing:
            print(f"  {scored.missing} of {count} have no prediction: they count as wrong")
    print("\n".join(board.lines()))
    for line in lacking(all_stored):
        print(line)
    return 0


def lacking(all_stored: Sequence[Stored]) -> Iterator[str]:
    """A line for each task that lacks languages, and for each of the nine that is not there at all."""
    there: dict[str, set[str]] = {}
    for stored in all_stored:
        there.setdefault(stored.task.name, set()).add(stored.language)
    for name in [*there, *(name for name in COUNTED if name not in there)]:
        missing = [code for code in tasks.load(name).languages if code not in there.get(name, ())]
        if missing:
            what = "all languages" if name not in there else ", ".join(missing)
            yield f"missing: {name} in {what}"


def _of_run(folder: RunFolder, rows: Mapping[tuple[str, str], list[dict[str, Any]]]) -> Iterator[Stored]:
    """Predictions of a run of a grid."""
    asked = folder.read_spec().asked
    assert isinstance(asked, EvaluateSpec), "only evaluations have predictions"
    for name, language in rows:
        task = tasks.load(name)
        split = split_of(task)
        limit = asked.limit(name, split)
        yield Stored(
            task=task,
            language=language,
            split=split,
            sources=asked.sources,
            rows=limit,
            limit=str(limit or ""),
            predictions=rows[name, language],
            kept=None,
        )


def rows_by_cell(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Scores that were written before, by the name of their cell."""
    found: dict[str, list[dict[str, Any]]] = {}
    folder = store.folder.records / "scores"
    for row in records.read("scores", [folder]).to_pylist() if folder.is_dir() else ():
        if row["split"] == split_of(tasks.load(row["target"])):
            found.setdefault(f"{row['target']}-{row['language']}", []).append(row)
    return found
