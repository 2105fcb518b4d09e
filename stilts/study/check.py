"""A study is checked whole before anything runs: every name, and what its settings mean together."""

from collections.abc import Iterable

from hpc.errors import UserError, unknown_name
from stilts import tasks
from stilts.study.config import Study
from stilts.study.grid.intermediate import TEXT


def check(study: Study) -> None:
    """Refuses a study that names what does not exist, or that cannot do what it says.

    Raises:
        UserError: in one line, with the nearest known names.
    """
    _check_tasks(study)
    _check_tables(study)
    if study.variants.mlm is not None and study.zero.stage == 3:
        raise UserError(
            f"study {study.name}: masked text needs the word embeddings whole; use ZeRO stage 2 or less"
        )


def _check_tasks(study: Study) -> None:
    phase = study.intermediate
    for names, role in (
        ((*phase.tasks, *phase.single_tasks, *phase.optional), "intermediate"),
        (study.targets, "target"),
    ):
        for name in names:
            if name not in tasks.names():
                raise unknown_name("task", name, tasks.names(), where=f"study {study.name}")
            if (actual := tasks.load(name).role) != role:
                raise UserError(
                    f"study {study.name}: {name} is listed among the {role} tasks but is a {actual} task"
                )


def _check_tables(study: Study) -> None:
    """Refuses tables that no run would read."""
    phase = study.intermediate
    used = {*phase.tasks, *phase.single_tasks, *phase.optional, *study.targets}
    used |= {tasks.load(target).train_task or target for target in study.targets}
    known: dict[str, Iterable[str]] = {
        "optimisation": used | {"default", "multi", "joint", "heads"},
        "limits": used | {"default", TEXT},
        "languages": set(study.targets) | {"default"},
    }
    for section, names in known.items():
        for name in getattr(study, section):
            if name not in names:
                raise unknown_name("table", name, names, where=f"[{section}] of study {study.name}")
