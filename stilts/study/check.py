"""A study is checked whole before anything runs: every name, and what its settings mean together."""

import re
from collections.abc import Iterable, Iterator, Sequence

from hpc.errors import UserError, unknown_name
from stilts import tasks
from stilts.run.settings import Optimisation
from stilts.study import regimes
from stilts.study.config import Study
from stilts.study.grid.builder import languages_of
from stilts.study.grid.intermediate import TEXT, read_by_variants

_SHOWN = 5


def check(study: Study) -> None:
    """Refuses a study that names what does not exist, or that cannot do what it says.

    Raises:
        UserError: what is wrong, all at once, with the nearest known names.
    """
    found = list(_names(study)) or [
        *_tables(study),
        *_languages(study),
        *_settings(study),
        *_latency(study),
        *_deploy(study),
    ]
    if found:
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise UserError(f"study {study.name}: {'; '.join(found[:_SHOWN])}{more}")
    read_by_variants(study)


def _names(study: Study) -> Iterator[str]:
    """Lists that are empty or repeat themselves, and tasks that do not exist or are of the other sort."""
    phase = study.intermediate
    for what, names in (("seeds", study.seeds), ("sources", study.sources), ("targets", study.targets)):
        if not names:
            yield f"{what} is empty"
    lists: dict[str, Sequence[object]] = {
        "seeds": study.seeds,
        "sources": study.sources,
        "targets": study.targets,
        "baselines": study.baselines,
        "intermediate.tasks": phase.tasks,
        "intermediate.single_tasks": phase.single_tasks,
        "intermediate.optional": phase.optional,
        "latency.targets": study.latency.targets,
        "latency.regimes": study.latency.regimes,
        "latency.batch_sizes": study.latency.batch_sizes,
        "latency.attention": study.latency.attention,
        "latency.languages": study.latency.languages,
        "deploy.targets": study.deploy.targets,
        "deploy.languages": study.deploy.languages,
        "deploy.texts": study.deploy.texts,
        "deploy.dtypes": study.deploy.dtypes,
        **{f"languages.{task}": codes for task, codes in study.languages.items()},
    }
    for what, values in lists.items():
        twice = [value for n, value in enumerate(values) if value in values[:n]]
        if twice:
            yield f"{what} has {twice[0]!r} twice"
    for role, names in (
        ("intermediate", (*phase.tasks, *phase.single_tasks)),
        ("target", study.targets),
    ):
        for name in names:
            if name not in tasks.names():
                yield _unknown("task", name, tasks.names())
            elif (actual := tasks.load(name).role) != role:
                yield f"{name} is listed among the {role} tasks but is of the role {actual}"
    for name in phase.optional:
        if name not in (*phase.tasks, *phase.single_tasks):
            yield _unknown("task", name, (*phase.tasks, *phase.single_tasks), "intermediate.optional")


def _tables(study: Study) -> Iterator[str]:
    """Tables that no run would read."""
    phase = study.intermediate
    used = {*phase.tasks, *phase.single_tasks, *study.targets}
    used |= {tasks.load(target).train_task or target for target in study.targets}
    known: dict[str, set[str]] = {
        "optimisation": used | {"default", "multi", "joint", "heads"},
        "limits": used | {"default", TEXT},
        "languages": set(study.targets) | {"default"},
    }
    for section, names in known.items():
        for name in getattr(study, section):
            if name not in names:
                yield _unknown("table", name, names, f"[{section}]")


def _languages(study: Study) -> Iterator[str]:
    targets = [tasks.load(name) for name in study.targets]
    for name, codes in study.languages.items():
        known = {code for task in targets for code in task.languages if name in ("default", task.name)}
        for code in codes:
            if known and code not in known:
                yield _unknown("language", code, known, f"languages.{name}")
    for task in targets:
        if not languages_of(study, task):
            yield f"{task.name} is evaluated in none of its languages ({_few(task.languages)})"


def _settings(study: Study) -> Iterator[str]:
    layers = study.model.layers
    for name, settings in study.optimisation.items():
        yield from (f"optimisation.{name}: {problem}" for problem in _frozen(settings, layers))
    is_retrieved = any(not tasks.load(name).train_task for name in study.targets)
    if is_retrieved and layers is not None and study.retrieval.layer > layers:
        yield f"retrieval.layer = {study.retrieval.layer}, but model.layers keeps {layers}"
    if study.variants.mlm is not None and study.zero.stage == 3:
        yield "masked text needs the word embeddings whole; use ZeRO stage 2 or less"


def _frozen(settings: Optimisation, layers: int | None) -> Iterator[str]:
    for part in settings.frozen:
        numbered = re.fullmatch(r"layers\.(0|[1-9]\d{0,3})", part)
        if numbered is None and part not in ("embeddings", "encoder"):
            yield _unknown("part to freeze", part, ("embeddings", "encoder", "layers.0", "layers.1"))
        elif numbered is not None and layers is not None and int(numbered[1]) >= layers:
            yield f"frozen names {part}, but model.layers keeps {layers}, counted from 0"


def _latency(study: Study) -> Iterator[str]:
    timed = study.latency
    for name in timed.targets:
        if name not in study.targets:
            yield _unknown("target", name, study.targets, "latency.targets")
        else:
            known = languages_of(study, tasks.load(name))
            for language in timed.languages:
                if language not in known:
                    yield _unknown("language", language, known, f"latency.languages for {name}")
    possible = [one.name for one in regimes.REGIMES if one.phases(study) and not one.chosen_from]
    for name in timed.regimes:
        if name not in possible:
            yield _unknown("regime", name, possible, "latency.regimes")
    for what in ("languages", "batch_sizes", "attention", "regimes"):
        if timed.targets and not getattr(timed, what):
            yield f"latency.{what} is empty"


def _deploy(study: Study) -> Iterator[str]:
    asked = study.deploy
    for what in ("languages", "texts", "dtypes"):
        if asked.targets and not getattr(asked, what):
            yield f"deploy.{what} is empty"
    for count in asked.texts if asked.targets else ():
        if count > len(asked.targets):
            yield f"deploy.texts has {count} tasks a text, of {len(asked.targets)} targets"
    for name in asked.targets:
        if name not in study.targets:
            yield _unknown("target", name, study.targets, "deploy.targets")
        elif not tasks.load(name).train_task:
            yield f"deploy.targets has {name}, which no head answers"
        elif not asked.lengths:
            known = languages_of(study, tasks.load(name))
            for language in asked.languages:
                if language not in known:
                    yield _unknown("language", language, known, f"deploy.languages for {name}")
        elif name not in asked.lengths:
            yield f"deploy.lengths lacks {name}"
    for what, keys in (("shares", asked.shares), ("lengths", asked.lengths)):
        for name in keys:
            if name not in asked.targets:
                yield _unknown("target", name, asked.targets, f"deploy.{what}")
    for what in ("shared", "apart"):
        regime = next((one for one in regimes.REGIMES if one.name == getattr(asked, what)), None)
        if regime is None:
            yield _unknown("regime", getattr(asked, what), regimes.names(), f"deploy.{what}")
        elif (regime.then == "targets") != (what == "apart"):
            yield f"deploy.{what} = {regime.name}, which is {regime.deployed}"
        elif asked.targets and not asked.lengths and not regime.phases(study):
            yield f"deploy.{what} = {regime.name}, which this study does not train"


def _unknown(what: str, name: str, known: Iterable[str], where: str = "") -> str:
    return str(unknown_name(what, name, known, where=where)).removesuffix(".")


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (" ..." if len(names) > 8 else "")
