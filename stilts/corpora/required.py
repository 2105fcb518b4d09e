"""Which sets a study reads: what has to be staged, checked and counted."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hpc.errors import UserError, unknown_name
from stilts import tasks
from stilts.study.config import Study
from stilts.study.grid import languages_of, read_by_variants
from stilts.tasks import Task


@dataclass(frozen=True, kw_only=True, slots=True)
class RequiredSet:
    """A set of a task in one language."""

    task: Task
    language: str
    split: str
    """The set, as sources know it: `test` for both splits of a task with a single evaluation set."""
    optional: bool = False
    """The study goes on without the task where it is missing."""

    @property
    def name(self) -> str:
        """As messages and tables have it."""
        return f"{self.task.name} {self.language} {self.split}"


def required_sets(
    study: Study, *, only: Sequence[str] | None = None, languages: Sequence[str] | None = None
) -> list[RequiredSet]:
    """The sets a study reads, each once, task after task.

    Args:
        study: the study.
        only: tasks to keep; all when absent.
        languages: languages to keep; all when absent.

    Raises:
        UserError: the study does not read such a task or language, or names a task that does not exist.
    """
    found = {(need.task.name, need.language, need.split): need for need in _all(study)}
    for what, chosen, known in (
        ("task", only, {need.task.name for need in found.values()}),
        ("language", languages, {need.language for need in found.values()}),
    ):
        for name in chosen or ():
            if name not in known:
                raise unknown_name(what, name, known, where=f"study {study.name}")
    kept = [
        need
        for need in found.values()
        if (only is None or need.task.name in only) and (languages is None or need.language in languages)
    ]
    if not kept:
        raise UserError(f"study {study.name} reads none of these tasks in these languages")
    return kept


def _all(study: Study) -> Iterator[RequiredSet]:
    intermediate = dict.fromkeys((*study.intermediate.tasks, *study.intermediate.single_tasks))
    targets = [_load(study, name) for name in study.targets]
    trained = dict.fromkeys(task.train_task for task in targets if task.train_task)
    for name in dict.fromkeys((*intermediate, *trained)):
        if name not in study.targets:
            optional = name in study.intermediate.optional and name not in trained
            yield from _sets(_load(study, name), ("en",), ("train", "dev"), optional=optional)
    for task in targets:
        if task.name in trained:
            yield from _sets(task, ("en",), ("train", "dev"))
        yield from _sets(task, languages_of(study, task), ("dev", "test"))
    yield from _variants(study)


def _variants(study: Study) -> Iterator[RequiredSet]:
    """What only the variants of the intermediate phase read: all else goes on without."""
    for name, languages in read_by_variants(study).items():
        yield from _sets(tasks.load(name), languages, ("train",), optional=True)


def _sets(
    task: Task, languages: Iterable[str], splits: Sequence[str], *, optional: bool = False
) -> Iterator[RequiredSet]:
    for language in languages:
        for split in splits:
            if split in task.splits and not (split == "dev" and language in task.without_dev):
                actual = task.set_of(split=split, language=language)
                yield RequiredSet(task=task, language=language, split=actual, optional=optional)


def _load(study: Study, name: str) -> Task:
    if name not in tasks.names():
        raise unknown_name("task", name, tasks.names(), where=f"study {study.name}")
    return tasks.load(name)
