"""What can be asked for: tasks, groups, languages, metrics."""

from collections.abc import Callable, Iterator, Mapping

from hpc.errors import unknown_name
from stilts import tasks
from stilts.evaluate.averages import COUNTED, GROUPS
from stilts.evaluate.request import GROUP, XTREME, evaluable, split_of


def listing(what: str) -> list[str]:
    """The lines of one list.

    Raises:
        UserError: there is no such list.
    """
    if what not in LISTS:
        raise unknown_name("list", what, LISTS)
    return list(LISTS[what]())


def _tasks() -> Iterator[str]:
    for name in evaluable():
        task = tasks.load(name)
        languages = f"{len(task.languages)} languages" if len(task.languages) > 1 else task.languages[0]
        yield f"{name:<14} {task.role:<12} {task.type:<8} {split_of(task):<4}  {languages}"


def _groups() -> Iterator[str]:
    for group, members in GROUPS.items():
        yield f"{GROUP + group:<22} {', '.join(members)}"
    yield f"{XTREME:<22} {', '.join(COUNTED)}"


def _languages() -> Iterator[str]:
    spoken: dict[str, list[str]] = {}
    for name in COUNTED:
        for code in tasks.load(name).languages:
            spoken.setdefault(code, []).append(name)
    for code in sorted(spoken):
        yield f"{code}  {' '.join(spoken[code])}"


def _metrics() -> Iterator[str]:
    for name in evaluable():
        task = tasks.load(name)
        yield f"{name:<14} {', '.join(task.metrics):<14} counts: {' and '.join(task.counted)}"


LISTS: Mapping[str, Callable[[], Iterator[str]]] = {
    "tasks": _tasks,
    "groups": _groups,
    "languages": _languages,
    "metrics": _metrics,
}
