"""Rows of a source, read by a task: examples, label names, and all texts of a study."""

from collections.abc import Iterator, Mapping, Sequence

from hpc.errors import UserError
from stilts import tasks
from stilts.data.formats import Record
from stilts.data.sources import Chosen, choose
from stilts.run.settings import Limits
from stilts.tasks import Example, Row, Task, types as task_types

_TELLING = 30
"""Examples of a test set that cannot all have the same label by chance."""
_BLANKED = "XTREME's own download takes the labels out of test sets: use the original files or the Hub's"


def read(
    task: Task | str,
    *,
    language: str,
    split: str,
    sources: Sequence[str],
    limit: int | None = None,
    seed: int = 0,
) -> Iterator[Example]:
    """Examples in the order of the source, without rows that have no usable label; each has an id.

    Raises:
        UserError: the task has no such language or split, or no source has it.
    """
    task = tasks.load(task) if isinstance(task, str) else task
    actual = task.set_of(split=split, language=language)
    chosen = choose(task, language=language, split=actual, sources=sources)
    return examples_of(chosen, task, language=language, split=actual, limit=limit, seed=seed)


def version(task: Task, *, language: str, split: str, sources: Sequence[str]) -> str:
    """Source and version of a set.

    Raises:
        UserError: the task has no such language or split, or no source has it.
    """
    actual = task.set_of(split=split, language=language)
    chosen = choose(task, language=language, split=actual, sources=sources)
    return f"{chosen.name} {chosen.version}"


def examples_of(
    chosen: Chosen, task: Task, *, language: str, split: str, limit: int | None, seed: int
) -> Iterator[Example]:
    """As `read`, from a source that was chosen already; `split` is the set it is asked for.

    Raises:
        UserError: a row lacks a column or has an unknown label, with its file and number; a test set has no
            labels to speak of, which shows at its end only.
    """
    rows = chosen.source.rows(task, language=language, split=split, limit=limit, seed=seed)
    is_scored = split == "test" and limit is None
    kind = task_types.load(task.type)
    labels: set[str] = set()
    number = count = 0
    for number, row in enumerate(rows, start=1):
        if task.language_of is not None and task.language_of(row) not in ("", language):
            continue
        example = _example(task, row)
        if example is not None:
            count += 1
            labels.update(kind.labels_of(example) if is_scored and kind.labels_of else ())
            yield example | {"id": example["id"] or f"{task.name}-{language}-{split}-{number - 1}"}
    if is_scored and number and kind.labels_of:
        where = f"{task.name} {language} {split}"
        if not labels:
            raise UserError(f"{where}: none of {number} rows has a label. {_BLANKED}", code=3)
        if count >= _TELLING and len(labels) == 1:
            raise UserError(f"{where}: all {count} labels are {labels.pop()}. {_BLANKED}", code=3)


def _example(task: Task, row: Row) -> Example | None:
    """A row read by its task; whatever is wrong is told with the row's file and number."""
    try:
        return task.read(row)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, UserError) as error:
        if not isinstance(row, Record):
            raise
        what = (
            f"no column {error}; there are: {', '.join(row)}" if isinstance(error, KeyError) else str(error)
        )
        raise UserError(f"{row.place}: {what}", code=3) from error


def labels(task: Task | str, *, sources: Sequence[str], seed: int = 0) -> tuple[str, ...]:
    """Label names by index; for a task without a list of its own, what its source or training set has.

    They do not depend on a limit: a model trained on a part of the data has all of them.

    Raises:
        UserError: no source has the training set that they would be read off.
    """
    task = tasks.load(task) if isinstance(task, str) else task
    if task.labels is not None:
        return task.labels
    chosen = choose(task, language="en", split="train", sources=sources)
    known = chosen.source.labels(task)
    if known is not None:
        return known
    examples = examples_of(chosen, task, language="en", split="train", limit=None, seed=seed)
    found = tuple(sorted({tag for example in examples for tag in example["tags"]}))
    if not found:
        raise UserError(f"the training set of {task.name} has no labels", code=3)
    return found


def corpus(
    texts: Mapping[str, Sequence[str]],
    *,
    sources: Sequence[str],
    limits: Mapping[str, Limits],
    seed: int = 0,
) -> Iterator[str]:
    """Every text that a study will tokenise, as it is handed to the tokenizer: for pruning the vocabulary.

    Args:
        texts: languages by task; training sets are read in English only.
        sources: where to look, in this order.
        limits: by task and split, as the runs will read them.
        seed: of the data.
    """
    for name, languages in texts.items():
        task = tasks.load(name)
        kind = task_types.load(task.type)
        for language, split in _sets(task, languages):
            limit = limits.get(name, Limits()).of(split)
            for example in read(
                task, language=language, split=split, sources=sources, limit=limit, seed=seed
            ):
                yield from kind.texts(example)


def _sets(task: Task, languages: Sequence[str]) -> Iterator[tuple[str, str]]:
    for language in languages:
        for split in task.splits:
            is_foreign_training = split == "train" and language not in task.trains_in
            if not is_foreign_training and not (split == "dev" and language in task.without_dev):
                yield language, split
