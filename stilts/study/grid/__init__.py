"""Expands a study into runs: each grid is a named set of runs together with all they need.

`expand(study, "all")` lists the runs parents first. Work that several regimes need is one run: XQuAD and
MLQA share one SQuAD fine-tuning, and BUCC and Tatoeba are read off the intermediate encoder as it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from hpc.errors import UserError, unknown_name
from stilts import tasks
from stilts.run.specs import RunSpec
from stilts.study.config import Study
from stilts.study.grid.draft import Draft, Start, data_of, languages_of
from stilts.study.grid.measuring import add_baselines, add_latency
from stilts.study.grid.training import add_heads, add_joint, add_multi, add_single, add_target_runs
from stilts.study.grid.variants import REGIMES, TEXT, add_variants, read_by_variants
from stilts.tasks import Task

__all__ = ["GRIDS", "expand", "languages_of"]

Wanted = Callable[[RunSpec], bool]

GRIDS: Mapping[str, tuple[str, Wanted]] = {
    "intermediate": ("each intermediate task alone", lambda run: run.fields.get("role") == "single"),
    "multitask": ("one encoder on all intermediate tasks", lambda run: run.fields.get("role") == "multi"),
    "targets": (
        "target fine-tuning after every intermediate phase",
        lambda run: run.fields.get("role") == "target",
    ),
    "joint": (
        "one model for all targets: joint fine-tuning, and the multi-task heads used directly",
        lambda run: run.fields.get("role") in ("joint", "heads"),
    ),
    "variants": (
        "intermediate phases with masked text or translations, where the study lists some",
        lambda run: run.fields.get("regime") in REGIMES,
    ),
    "evaluate": ("zero-shot scores of every regime", lambda run: run.kind == "evaluate"),
    "baselines": ("yardsticks for the sanity table", lambda run: run.kind == "baseline"),
    "latency": ("inference latency, in fresh processes", lambda run: run.kind == "latency"),
    "all": ("everything above", lambda _: True),
}


def expand(study: Study, grid: str) -> list[RunSpec]:
    """The runs of a grid and all they need, parents first.

    Raises:
        UserError: an unknown grid, or a task the study names that does not exist.
    """
    if grid not in GRIDS:
        raise unknown_name("grid", grid, GRIDS)
    if grid == "variants" and not read_by_variants(study):
        raise UserError(f"study {study.name} has no [variants.mlm] and no [variants.translated]")
    runs = _draft(study).runs
    wanted = GRIDS[grid][1]
    keep: set[str] = set()
    for run in reversed(runs.values()):
        if wanted(run) or run.id in keep:
            keep |= {run.id, *run.needs}
    return [run for run in runs.values() if run.id in keep]


def _draft(study: Study) -> Draft:
    _check_names(study)
    draft = Draft(study)
    intermediates = [_task(study, name, "intermediate") for name in study.intermediate.tasks]
    singles = [_task(study, name, "intermediate") for name in study.intermediate.singles]
    targets = [_task(study, name, "target") for name in study.targets]
    _add_model(draft, intermediates + targets)
    for seed in study.seeds:
        starts = [Start(id="model", regime="direct", intermediate="", seed=seed)]
        starts += [add_single(draft, task, seed) for task in singles]
        if intermediates:
            starts.append(add_multi(draft, intermediates, seed))
        for start in starts:
            add_target_runs(draft, start, targets)
        if intermediates:
            add_heads(draft, starts[-1], targets)
            add_joint(draft, starts[-1], targets)
        if "random" in study.baselines:
            random = Start(id="model", regime="random", intermediate="", seed=seed)
            add_target_runs(draft, random, [task for task in targets if task.trains_on])
        add_variants(draft, seed, targets)
    add_baselines(draft, intermediates, targets)
    add_latency(draft, targets)
    return draft


def _check_names(study: Study) -> None:
    """Refuses tables that no run would read.

    Raises:
        UserError: an optional task, or settings, of something the study does not have.
    """
    phase = study.intermediate
    for name in phase.optional:
        _task(study, name, "intermediate")
    used = {*phase.tasks, *phase.singles, *phase.optional, *study.targets}
    used |= {_task(study, target, "target").trains_on or target for target in study.targets}
    known = {
        "optimisation": used | {"default", "multi", "joint", "heads"},
        "limits": used | {"default", TEXT},
        "languages": set(study.targets) | {"default"},
    }
    for section, names in known.items():
        for name in getattr(study, section):
            if name not in names:
                raise unknown_name("table", name, sorted(names), where=f"[{section}] of study {study.name}")


def _task(study: Study, name: str, role: str) -> Task:
    if name not in tasks.names():
        raise unknown_name("task", name, tasks.names(), where=f"study {study.name}")
    task = tasks.load(name)
    if task.role != role:
        raise UserError(
            f"study {study.name}: {name} is listed among the {role} tasks but is a {task.role} task"
        )
    return task


def _add_model(draft: Draft, used: list[Task]) -> None:
    study = draft.study
    fields: dict[str, Any] = {"model": asdict(study.model)}
    if study.model.vocabulary == "study":
        read = {name: tasks.load(name) for task in used for name in (task.name, task.trains_on) if name}
        texts = {name: languages_of(study, task) for name, task in sorted(read.items())}
        texts |= read_by_variants(study)
        fields |= {"texts": texts} | data_of(study, texts)
    draft.add("model", "prepare", (), fields, 0)
