"""Expands a study into runs: each grid is a named set of runs together with all they need.

`expand(study, "all")` lists the runs parents first. Work that several regimes need is one run: XQuAD and
MLQA share one SQuAD fine-tuning, and BUCC and Tatoeba are read off the intermediate encoder as it is.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from stilts import tasks
from stilts.config import Study
from stilts.errors import Problem, unknown
from stilts.runs import Kind, RunSpec
from stilts.tasks import Task

# Rough lengths of one example in tokens, only for the plan's estimate.
_TYPICAL_TOKENS = {"classify": 32, "choice": 80, "span": 64, "tag": 16, "retrieve": 16}

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
    "evaluate": ("zero-shot scores of every regime", lambda run: run.kind == "evaluate"),
    "baselines": ("yardsticks for the sanity table", lambda run: run.kind == "baseline"),
    "latency": ("inference latency, in fresh processes", lambda run: run.kind == "latency"),
    "all": ("everything above", lambda _: True),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """Weights that fine-tuning or evaluation starts from, and the table row they belong to."""

    id: str
    regime: str
    intermediate: str
    seed: int


@dataclass
class Plan:
    """Collects the runs of a study; a run is added after those it needs."""

    study: Study
    runs: dict[str, RunSpec] = field(default_factory=dict)

    def add(self, run_id: str, kind: Kind, needs: Iterable[str], fields: dict[str, Any], tokens: int) -> str:
        """Adds one run and returns its id."""
        parents = {need: self.runs[need].fingerprint for need in needs}
        self.runs[run_id] = RunSpec(
            study=self.study.name,
            id=run_id,
            kind=kind,
            needs=tuple(parents),
            fields=fields,
            parents=parents,
            tokens=tokens,
        )
        return run_id


def expand(study: Study, grid: str) -> list[RunSpec]:
    """The runs of a grid and all they need, parents first.

    Raises:
        Problem: an unknown grid, or a task the study names that does not exist.
    """
    if grid not in GRIDS:
        raise unknown("grid", grid, GRIDS)
    runs = _plan(study).runs
    wanted = GRIDS[grid][1]
    keep: set[str] = set()
    for run in reversed(runs.values()):
        if wanted(run) or run.id in keep:
            keep |= {run.id, *run.needs}
    return [run for run in runs.values() if run.id in keep]


def languages_of(study: Study, task: Task) -> list[str]:
    """Languages the study evaluates a task in, in the task's own order."""
    chosen = study.languages.get(task.name, study.languages.get("default"))
    return [language for language in task.languages if chosen is None or language in chosen]


def _plan(study: Study) -> Plan:
    plan = Plan(study)
    intermediates = [_task(study, name, "intermediate") for name in study.intermediate.tasks]
    singles = [_task(study, name, "intermediate") for name in study.intermediate.singles]
    targets = [_task(study, name, "target") for name in study.targets]
    _add_model(plan, intermediates + targets)
    for seed in study.seeds:
        starts = [Start(id="model", regime="direct", intermediate="", seed=seed)]
        starts += [_add_single(plan, task, seed) for task in singles]
        multi = _add_multi(plan, intermediates, seed)
        for start in [*starts, multi]:
            _add_target_runs(plan, start, targets)
        _add_heads(plan, multi, targets)
        _add_joint(plan, multi, targets)
        if "random" in study.baselines:
            random = Start(id="model", regime="random", intermediate="", seed=seed)
            _add_target_runs(plan, random, [task for task in targets if task.trains_on])
    _add_baselines(plan, intermediates, targets)
    _add_latency(plan, targets)
    return plan


def _task(study: Study, name: str, role: str) -> Task:
    if name not in tasks.names():
        raise unknown("task", name, tasks.names(), where=f"study {study.name}")
    task = tasks.load(name)
    if task.role != role:
        raise Problem(
            f"study {study.name}: {name} is listed among the {role} tasks but is a {task.role} task"
        )
    return task


def _data(study: Study, names: Iterable[str]) -> dict[str, Any]:
    """What decides which examples a run reads."""
    return {
        "sources": list(study.sources),
        "limits": {name: asdict(study.limits_of(name)) for name in sorted(set(names))},
    }


def _add_model(plan: Plan, used: list[Task]) -> None:
    study = plan.study
    fields: dict[str, Any] = {"model": asdict(study.model)}
    if study.model.vocabulary == "study":
        read = {name: tasks.load(name) for task in used for name in (task.name, task.trains_on) if name}
        texts = {name: languages_of(study, task) for name, task in sorted(read.items())}
        fields |= {"texts": texts} | _data(study, texts)
    plan.add("model", "prepare", (), fields, 0)


def _add_training(
    plan: Plan, run_id: str, start: Start, role: str, names: list[str], serves: Iterable[Task] = ()
) -> str:
    study = plan.study
    key = role if role in ("multi", "joint", "heads") else names[0]
    settings = study.optimisation_of(key)
    fields = {
        "role": role,
        "regime": start.regime,
        "intermediate": start.intermediate,
        "seed": start.seed,
        "tasks": names,
        "targets": [task.name for task in serves],
        "optimisation": asdict(settings),
        "zero": asdict(study.zero),
        "pooling": study.model.pooling,
        "cap": study.intermediate.cap,
        **_data(study, names),
    }
    tokens = (settings.max_steps or 0) * settings.tokens_per_batch or _estimate_training(
        study, names, settings.epochs
    )
    return plan.add(run_id, "train", [start.id], fields, tokens)


def _add_single(plan: Plan, task: Task, seed: int) -> Start:
    start = Start(id="model", regime="single", intermediate=task.name, seed=seed)
    run_id = _add_training(plan, f"{task.name}-s{seed}", start, "single", [task.name])
    return Start(id=run_id, regime="single", intermediate=task.name, seed=seed)


def _add_multi(plan: Plan, intermediates: list[Task], seed: int) -> Start:
    start = Start(id="model", regime="multi", intermediate="multi", seed=seed)
    run_id = _add_training(plan, f"multi-s{seed}", start, "multi", [task.name for task in intermediates])
    return Start(id=run_id, regime="multi", intermediate="multi", seed=seed)


def _training_sets(targets: Iterable[Task]) -> dict[str, list[Task]]:
    """Targets by the English set they are fine-tuned on."""
    sets: dict[str, list[Task]] = {}
    for task in targets:
        if task.trains_on:
            sets.setdefault(task.trains_on, []).append(task)
    return sets


def _add_target_runs(plan: Plan, start: Start, targets: list[Task]) -> None:
    """Fine-tuning on each English target set, their evaluation, and retrieval with the encoder as it is."""
    prefix = f"{start.regime}-s{start.seed}" if start.id == "model" else start.id
    for name, group in _training_sets(targets).items():
        label = group[0].name if len(group) == 1 else name
        run_id = _add_training(plan, f"{prefix}.{label}", start, "target", [name], group)
        _add_evaluation(plan, run_id, start, dict.fromkeys(group, name))
    untrained = {task: "" for task in targets if not task.trains_on}
    if untrained:
        _add_evaluation(plan, start.id, start, untrained, label=prefix)


def _add_heads(plan: Plan, multi: Start, targets: list[Task]) -> None:
    """The multi-task model as it is; a target that no intermediate head answers gets a linear probe."""
    start = Start(id=multi.id, regime="heads", intermediate="multi", seed=multi.seed)
    trained = plan.study.intermediate.tasks
    answers = {task: task.borrows if task.borrows in trained else task.trains_on or "" for task in targets}
    probes = sorted(
        {task.trains_on for task in targets if task.trains_on and answers[task] == task.trains_on}
    )
    probes = [name for name in probes if name not in trained]
    probed = [task for task in targets if answers[task] in probes]
    weights = multi.id
    if probes:
        weights = _add_training(plan, f"{multi.id}.heads", start, "heads", probes, probed)
    notes = {task.name: "probe" for task in probed}
    _add_evaluation(plan, weights, start, answers, label=f"{multi.id}.heads", notes=notes)


def _add_joint(plan: Plan, multi: Start, targets: list[Task]) -> None:
    """One encoder for all targets: their English sets together, one head each."""
    start = Start(id=multi.id, regime="joint", intermediate="multi", seed=multi.seed)
    trained = [task for task in targets if task.trains_on]
    run_id = _add_training(plan, f"{multi.id}.joint", start, "joint", list(_training_sets(targets)), trained)
    _add_evaluation(plan, run_id, start, {task: task.trains_on or "" for task in targets})


def _add_evaluation(
    plan: Plan,
    weights: str,
    start: Start,
    answers: dict[Task, str],
    *,
    label: str = "",
    notes: dict[str, str] | None = None,
) -> None:
    study = plan.study
    asked = {
        task.name: {
            "head": head,
            "languages": languages_of(study, task),
            "note": (notes or {}).get(task.name, ""),
        }
        for task, head in answers.items()
    }
    fields = {
        "regime": start.regime,
        "intermediate": start.intermediate,
        "seed": start.seed,
        "targets": asked,
        "evaluation": asdict(study.evaluation),
        **_data(study, asked),
    }
    if any(task.kind == "retrieve" for task in answers):
        fields["retrieval"] = asdict(study.retrieval)
    tokens = sum(_estimate(study, task, "test", len(asked[task.name]["languages"])) for task in answers)
    plan.add(f"{label or weights}.eval", "evaluate", [weights], fields, tokens)


def _add_baselines(plan: Plan, intermediates: list[Task], targets: list[Task]) -> None:
    study = plan.study
    methods = [method for method in study.baselines if method != "random"]
    sets = _training_sets(targets)
    for name in dict.fromkeys([*(task.name for task in intermediates), *sets]) if methods else ():
        asked = {task.name: languages_of(study, task) for task in sets.get(name, [])}
        fields = {"methods": methods, "trains_on": name, "targets": asked, **_data(study, [name, *asked])}
        plan.add(f"baseline.{name}", "baseline", (), fields, 0)


def _add_latency(plan: Plan, targets: list[Task]) -> None:
    study = plan.study
    seed = study.seeds[0]
    by_name = {task.name: task for task in targets}
    variants = []
    for run in plan.runs.values():
        asked = run.fields
        if run.kind != "evaluate" or asked["seed"] != seed or asked["regime"] not in study.latency.regimes:
            continue
        variants += [
            {
                "regime": asked["regime"],
                "intermediate": asked["intermediate"],
                "weights": run.needs[0],
                "target": name,
                "head": answer["head"],
            }
            for name, answer in asked["targets"].items()
            if name in study.latency.targets and name in by_name
        ]
    needs = list(dict.fromkeys(variant["weights"] for variant in variants))
    for process in range(1, study.latency.processes + 1) if variants else ():
        fields = {
            "process": process,
            "seed": seed,
            "variants": variants,
            "latency": asdict(study.latency),
            "dtype": study.evaluation.dtype,
            "retrieval": asdict(study.retrieval),
            **_data(study, study.latency.targets),
        }
        plan.add(f"latency.p{process}", "latency", needs, fields, 0)


def _estimate(study: Study, task: Task, split: str, languages: int) -> int:
    limit = getattr(study.limits_of(task.name), split)
    return (limit or 0) * languages * _TYPICAL_TOKENS[task.kind]


def _estimate_training(study: Study, names: list[str], epochs: float) -> int:
    return int(epochs * sum(_estimate(study, tasks.load(name), "train", 1) for name in names))
