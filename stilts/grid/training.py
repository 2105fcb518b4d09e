"""The training runs of each regime, with the evaluation of what they yield."""

from collections.abc import Iterable
from dataclasses import asdict

from stilts.grid.draft import Draft, Start, data_of, training_sets, training_tokens
from stilts.grid.measuring import add_evaluation
from stilts.tasks import Task


def _add_training(
    draft: Draft, run_id: str, start: Start, role: str, names: list[str], serves: Iterable[Task] = ()
) -> str:
    study = draft.study
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
        **data_of(study, names),
    }
    tokens = (settings.max_steps or 0) * settings.tokens_per_batch or training_tokens(
        study, names, settings.epochs
    )
    return draft.add(run_id, "train", [start.id], fields, tokens)


def add_single(draft: Draft, task: Task, seed: int) -> Start:
    """One intermediate task alone."""
    start = Start(id="model", regime="single", intermediate=task.name, seed=seed)
    run_id = _add_training(draft, f"{task.name}-s{seed}", start, "single", [task.name])
    return Start(id=run_id, regime="single", intermediate=task.name, seed=seed)


def add_multi(draft: Draft, intermediates: list[Task], seed: int) -> Start:
    """All intermediate tasks mixed."""
    start = Start(id="model", regime="multi", intermediate="multi", seed=seed)
    run_id = _add_training(draft, f"multi-s{seed}", start, "multi", [task.name for task in intermediates])
    return Start(id=run_id, regime="multi", intermediate="multi", seed=seed)


def add_target_runs(draft: Draft, start: Start, targets: list[Task]) -> None:
    """Fine-tuning on each English target set, their evaluation, and retrieval with the encoder as it is."""
    prefix = f"{start.regime}-s{start.seed}" if start.id == "model" else start.id
    for name, group in training_sets(targets).items():
        label = group[0].name if len(group) == 1 else name
        run_id = _add_training(draft, f"{prefix}.{label}", start, "target", [name], group)
        add_evaluation(draft, run_id, start, dict.fromkeys(group, name))
    untrained = {task: "" for task in targets if not task.trains_on}
    if untrained:
        add_evaluation(draft, start.id, start, untrained, label=prefix)


def add_heads(draft: Draft, multi: Start, targets: list[Task]) -> None:
    """The multi-task model as it is; a target that no intermediate head answers gets a linear probe."""
    start = Start(id=multi.id, regime="heads", intermediate="multi", seed=multi.seed)
    trained = draft.study.intermediate.tasks
    answers = {task: task.borrows if task.borrows in trained else task.trains_on or "" for task in targets}
    probes = sorted(
        {task.trains_on for task in targets if task.trains_on and answers[task] == task.trains_on}
    )
    probes = [name for name in probes if name not in trained]
    probed = [task for task in targets if answers[task] in probes]
    weights = multi.id
    if probes:
        weights = _add_training(draft, f"{multi.id}.heads", start, "heads", probes, probed)
    notes = {task.name: "probe" for task in probed}
    add_evaluation(draft, weights, start, answers, label=f"{multi.id}.heads", notes=notes)


def add_joint(draft: Draft, multi: Start, targets: list[Task]) -> None:
    """One encoder for all targets: their English sets together, one head each."""
    start = Start(id=multi.id, regime="joint", intermediate="multi", seed=multi.seed)
    trained = [task for task in targets if task.trains_on]
    run_id = _add_training(draft, f"{multi.id}.joint", start, "joint", list(training_sets(targets)), trained)
    add_evaluation(draft, run_id, start, {task: task.trains_on or "" for task in targets})
