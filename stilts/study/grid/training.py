"""The training runs of each regime, with the evaluation of what they yield."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from hpc.errors import UserError
from stilts.study.config import BATCH_SIZES, Optimisation, Study
from stilts.study.grid.draft import Draft, Start, data_of, said, training_sets, training_tokens
from stilts.study.grid.measuring import add_evaluation
from stilts.tasks import Task


def add_training(
    draft: Draft,
    run_id: str,
    start: Start,
    role: str,
    names: list[str],
    *,
    serves: Iterable[Task] = (),
    more: dict[str, Any] | None = None,
    reads: Iterable[str] = (),
) -> str:
    """Adds one training run and returns its id.

    Args:
        draft: the study's runs so far.
        run_id: the run's id.
        start: weights it starts from, and its row in the tables.
        role: single, multi, target, joint or heads.
        names: what it trains on.
        serves: targets that its weights answer.
        more: fields of this run alone.
        reads: sets that it reads beside `names`.
    """
    study = draft.study
    serves = list(serves)
    settings = _settings(study, role, names, serves)
    fields = {
        "role": role,
        "regime": start.regime,
        "intermediate": start.intermediate,
        "seed": start.seed,
        "tasks": names,
        "targets": [task.name for task in serves],
        "optimisation": said(settings),
        "zero": asdict(study.zero),
        "pooling": study.model.pooling,
        "cap": study.intermediate.cap,
        **data_of(study, [*names, *reads]),
        **(more or {}),
    }
    if settings.batches == "own":
        fields["batch_sizes"] = {name: _batch_size(study, name) for name in names}
    return draft.add(run_id, "train", [start.id], fields, training_tokens(study, names, settings))


def _settings(study: Study, role: str, names: list[str], serves: list[Task]) -> Optimisation:
    """How a run is trained: by its role where it trains on several sets, else by its target or its set.

    Raises:
        UserError: targets that share a run have settings of their own that differ.
    """
    if role in ("multi", "joint", "heads"):
        return study.optimisation_of(role)
    own = {task.name: study.optimisation[task.name] for task in serves if task.name in study.optimisation}
    if len(own) > 1 and len({repr(one) for one in own.values()}) > 1:
        raise UserError(
            f"study {study.name}: {' and '.join(own)} are answered by one fine-tuning on {names[0]}, but "
            "their [optimisation] tables differ; keep one of them"
        )
    return study.optimisation_of(*own, names[0])


def _batch_size(study: Study, name: str) -> dict[str, int]:
    settings = study.optimisation_of(name)
    sizes = {key: getattr(settings, key) for key in BATCH_SIZES}
    return {key: value for key, value in sizes.items() if value is not None}


def add_single(draft: Draft, task: Task, seed: int) -> Start:
    """One intermediate task alone."""
    start = Start(id="model", regime="single", intermediate=task.name, seed=seed)
    run_id = add_training(draft, f"{task.name}-s{seed}", start, "single", [task.name])
    return Start(id=run_id, regime="single", intermediate=task.name, seed=seed)


def add_multi(draft: Draft, intermediates: list[Task], seed: int) -> Start:
    """All intermediate tasks mixed; tasks that were left out are named in the run."""
    start = Start(id="model", regime="multi", intermediate="multi", seed=seed)
    names = [task.name for task in intermediates]
    run_id = add_training(draft, f"multi-s{seed}", start, "multi", names, more=left_out_of(draft.study))
    return Start(id=run_id, regime="multi", intermediate="multi", seed=seed)


def left_out_of(study: Study) -> dict[str, Any]:
    """The field that names optional tasks which the mixture goes without; no field where it has them all."""
    absent = [name for name in study.intermediate.optional if name not in study.intermediate.tasks]
    return {"left_out": absent} if absent else {}


def add_target_runs(draft: Draft, start: Start, targets: list[Task]) -> None:
    """Fine-tuning on each English target set, their evaluation, and retrieval with the encoder as it is."""
    prefix = f"{start.regime}-s{start.seed}" if start.id == "model" else start.id
    for name, group in training_sets(targets).items():
        label = group[0].name if len(group) == 1 else name
        run_id = add_training(draft, f"{prefix}.{label}", start, "target", [name], serves=group)
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
        weights = add_training(draft, f"{multi.id}.heads", start, "heads", probes, serves=probed)
    notes = {task.name: "probe" for task in probed}
    add_evaluation(draft, weights, start, answers, label=f"{multi.id}.heads", notes=notes)


def add_joint(draft: Draft, multi: Start, targets: list[Task]) -> None:
    """One encoder for all targets: their English sets together, one head each."""
    start = Start(id=multi.id, regime="joint", intermediate="multi", seed=multi.seed)
    trained = [task for task in targets if task.trains_on]
    names = list(training_sets(targets))
    run_id = add_training(draft, f"{multi.id}.joint", start, "joint", names, serves=trained)
    add_evaluation(draft, run_id, start, {task: task.trains_on or "" for task in targets})
