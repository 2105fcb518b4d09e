"""What is asked: tasks and groups by name, languages, and how much of each set.

Planning only: of the data nothing is read but sizes.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from hpc.errors import UserError, unknown_name
from stilts import data, tasks
from stilts.data.sources import choose
from stilts.evaluate.averages import COUNTED, GROUPS
from stilts.study.config import Study
from stilts.tasks import Task

GROUP = "group:"
XTREME = "xtreme"

Origin = Literal["named", "group"]
"""Whether a task was asked for by its own name: then it must not be left out silently."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestedTask:
    """A task in the languages asked for."""

    task: Task
    languages: tuple[str, ...]
    origin: Origin


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """How much of a set is read."""

    count: int | None = None
    share: float | None = None

    def __str__(self) -> str:
        """As it is written on the command line; empty for all of it."""
        return "" if self == ALL else str(self.count or self.share)

    def rows(self, size: Callable[[], int]) -> int | None:
        """Rows to read of a set whose size is asked for only when it matters; None for all."""
        return self.count if self.share is None else max(1, math.ceil(self.share * size()))


ALL = Limit()


def evaluable() -> list[str]:
    """Tasks with something to score: all but text that a language model is trained on."""
    return [name for name in tasks.names() if tasks.load(name).metric]


def parse_limit(text: str) -> Limit:
    """`200` rows, or `0.05` of the rows.

    Raises:
        UserError: neither a number of rows nor a share of them.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if number >= 1 and number.is_integer() and "." not in text:
        return Limit(count=int(number))
    if 0 < number <= 1:
        return Limit(share=number) if number < 1 else ALL
    raise UserError(f"--limit {text}: a number of rows such as 200, or a share of them such as 0.05")


def parse_tasks(words: Sequence[str]) -> dict[Task, Origin]:
    """Tasks of a list such as `xnli`, `group:qa`, `xtreme`, in its order.

    Raises:
        UserError: an unknown name; the nearest ones are given.
    """
    found: dict[Task, Origin] = {}
    for word in words:
        if word == XTREME:
            names: Sequence[str] = tuple(COUNTED)
        elif word.startswith(GROUP):
            group = word.removeprefix(GROUP)
            if group not in GROUPS:
                raise unknown_name("group of tasks", group, GROUPS)
            names = GROUPS[group]
        elif word in evaluable():
            found[tasks.load(word)] = "named"
            continue
        else:
            raise unknown_name("task", word, [*evaluable(), XTREME, *(GROUP + name for name in GROUPS)])
        for name in names:
            found.setdefault(tasks.load(name), "group")
    return found


def choose_languages(
    asked: dict[Task, Origin], languages: list[str] | None, study: Study | None
) -> tuple[list[RequestedTask], list[str]]:
    """Each task with its languages: those asked for, else the study's, else all it has.

    Returns:
        The tasks, and a line for each one of a group that has none of the languages.

    Raises:
        UserError: a language none of the tasks has, or a named task that has none of the languages.
    """
    codes = languages
    everywhere = {code for task in asked for code in task.languages}
    for code in codes or ():
        if code not in everywhere:
            raise unknown_name("language", code, everywhere, where="the tasks asked for")
    wanted, lines = [], []
    for task, origin in asked.items():
        chosen = codes
        if chosen is None and study is not None:
            of_study = study.languages.get(task.name, study.languages.get("default"))
            chosen = None if of_study is None else list(of_study)
        kept = tuple(code for code in task.languages if chosen is None or code in chosen)
        if kept:
            wanted.append(RequestedTask(task=task, languages=kept, origin=origin))
        elif origin == "named":
            raise unknown_name("language", ",".join(chosen or ()), task.languages, where=f"task {task.name}")
        else:
            lines.append(f"{task.name} is left out: it is not in {', '.join(chosen or ())}")
    return wanted, lines


def split_of(task: Task) -> str:
    """The set a task is evaluated on: dev where the published test set has no labels."""
    return "test" if "test" in task.splits else "dev"


def limit_of(task: Task, split: str, asked: Limit | None, study: Study | None) -> Limit:
    """The limit asked for, else the study's, else none."""
    if asked is not None or study is None:
        return asked or ALL
    return Limit(count=study.limits_of(task.name).of(split))


def size_of(task: Task, *, language: str, split: str, sources: Sequence[str]) -> int:
    """Rows of a set: as its source or its publication knows, else counted."""
    actual = task.set_of(split=split, language=language)
    chosen = choose(task, language=language, split=actual, sources=sources)
    known = chosen.source.size(task, language=language, split=actual)
    if known is not None:
        return known
    return sum(1 for _ in data.read(task, language=language, split=split, sources=sources))
