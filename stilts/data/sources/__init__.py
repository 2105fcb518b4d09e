"""Where rows come from, one file a source, tried in the order the study names.

A source is a module with

    version(task, *, language, split)   what it would serve, as a revision or digest;
                                        a `UserError` saying what is missing when it cannot serve
    rows(task, *, language, split, limit, seed)   rows in the data set's own schema, `limit` of them at most
    labels(task)                        names of a task whose labels depend on the data; None: not known here
    size(task, *, language, split)      rows there are without a limit; None: not known without reading

Rows of several languages in one file are told apart by `task.language_of`, so a source may hand out them all.
Rows out of files are `stilts.data.formats.Record`s: they know where they stand, for messages.
"""

import importlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from hpc.errors import Unreadable, UserError, unknown_name
from hpc.files import listing
from stilts.run import data_log
from stilts.tasks import Row, Task


class Source(Protocol):
    """What the module of a source offers."""

    def version(self, task: Task, *, language: str, split: str) -> str:
        """Identity of what is served; raises `UserError` when nothing is."""

    def rows(self, task: Task, *, language: str, split: str, limit: int | None, seed: int) -> Iterable[Row]:
        """Rows in the data set's own schema."""

    def labels(self, task: Task) -> tuple[str, ...] | None:
        """Names of the task's labels."""

    def size(self, task: Task, *, language: str, split: str) -> int | None:
        """Number of rows without a limit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """The source that serves a set, and which version of it."""

    name: str
    version: str
    source: Source


def names() -> list[str]:
    """All sources, by their file names."""
    return [path.stem for path in listing(Path(__file__).parent, "[!_]*.py")]


def choose(task: Task, *, language: str, split: str, sources: Sequence[str]) -> Chosen:
    """The first of `sources` that has the set.

    Raises:
        Unreadable: the system does not give what one of them has, or does not tell whether it has it.
        UserError: none has; what each of them lacks.
    """
    lacks = []
    for name in sources:
        try:
            source = load(name)
            version = source.version(task, language=language, split=split)
        except Unreadable:  # another source's rows would stand in for those that are there
            raise
        except UserError as problem:
            lacks.append(f"{name}: {problem}")
        else:
            data_log.note(task.name, language, split, f"{name} {version}")
            return Chosen(name=name, version=version, source=source)
    reasons = "; ".join(lacks) or "the study names no source"
    raise UserError(f"no data for {task.name} {language} {split}: {reasons}", code=3)


def load(name: str) -> Source:
    """The source of that name.

    Raises:
        UserError: there is none.
    """
    if name not in names():
        raise unknown_name("source", name, names())
    return cast("Source", importlib.import_module(f"{__name__}.{name}"))
