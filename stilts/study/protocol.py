"""Where the study's protocol is not the published one, in words: for captions, pages and records.

What can be chosen is in `[rules]` of a study; the rest is how this program works. Published means jiant, with
which the paper was made, and XTREME's own scripts.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from stilts import tasks
from stilts.run.settings import Rules
from stilts.study.config import Study
from stilts.tasks import Task, metrics, types as task_types


@dataclass(frozen=True, kw_only=True, slots=True)
class Aspect:
    """Something that a rule decides."""

    title: str
    concerns: Callable[[Task], bool]
    ways: Mapping[str, str]
    """By whose rule, what happens; of one that cannot be chosen `ours` and what is published."""


def _mines(task: Task) -> bool:
    return bool(task.metric) and metrics.load(task.metric).mines


ASPECTS: Mapping[str, Aspect] = {
    "decoding": Aspect(
        title="answers to questions",
        concerns=lambda task: task_types.load(task.type).has_windows,
        ways={
            "ours": "the best-scored span of any window (XTREME and jiant: one that begins where its window "
            "has the most context, of the best starts and ends among all tokens)",
            "xtreme": "by XTREME's rules of most context and best starts and ends",
        },
    ),
    "duplicates": Aspect(
        title="sentences that stand twice in a pool",
        concerns=_mines,
        ways={
            "ours": "the first copy is paired (XTREME leaves them out, jiant pairs all)",
            "xtreme": "left out, as XTREME does (jiant pairs all copies)",
        },
    ),
    "threshold": Aspect(
        title="mining when nothing found in the dev set is right",
        concerns=_mines,
        ways={"ours": "nothing is kept (XTREME: everything)", "xtreme": "everything is kept, as XTREME does"},
    ),
}
"""By the name of the rule."""

_FIXED: Sequence[Aspect] = (
    Aspect(
        title="sentences longer than a sequence",
        concerns=lambda task: task.type == "tag",
        ways={"ours": "split and scored, as XTREME does (jiant cuts them and leaves the rest unscored)"},
    ),
    Aspect(
        title="span head",
        concerns=lambda task: task_types.load(task.type).has_windows,
        ways={"ours": "dropout before it (jiant: a bare linear layer)"},
    ),
    Aspect(
        title="dev sets of questions",
        concerns=lambda task: task_types.load(task.type).has_windows,
        ways={"ours": "a limit counts questions (jiant: windows)"},
    ),
    Aspect(
        title="dev score of SQuAD v2.0",
        concerns=lambda task: task.name == "squad_v2",
        ways={"ours": "the best threshold between unequal scores (the official script also cuts equal ones)"},
    ),
)


def in_force(task: Task, rules: Rules) -> tuple[str, ...]:
    """The rules that decide a task's answers, as `aspect=whose`; those of our own are left out."""
    chosen = asdict(rules)
    return tuple(
        f"{name}={chosen[name]}"
        for name, aspect in ASPECTS.items()
        if aspect.concerns(task) and chosen[name] != "ours"
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Deviation:
    """What is done otherwise than published code does it, or by a rule that was chosen."""

    title: str
    tasks: tuple[str, ...]
    """Those it concerns."""
    way: str


def deviations(study: Study, targets: Sequence[str] | None = None) -> Iterator[Deviation]:
    """The ways in which scores come about otherwise than published, or by a rule that was chosen.

    Args:
        study: the study.
        targets: only what concerns these; None: all the study trains on or answers.
    """
    names = study.targets if targets is None else targets
    chosen = asdict(study.rules)
    aspects = [(aspect, chosen[name]) for name, aspect in ASPECTS.items()]
    aspects += [(aspect, "ours") for aspect in _FIXED]
    if targets is None:
        names = tuple(dict.fromkeys((*names, *study.intermediate.tasks, *study.intermediate.single_tasks)))
    involved = [tasks.load(name) for name in names]
    for aspect, whose in aspects:
        concerned = tuple(task.name for task in involved if aspect.concerns(task))
        if concerned:
            yield Deviation(title=aspect.title, tasks=concerned, way=aspect.ways[whose])
