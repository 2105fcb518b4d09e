"""What follows an intermediate phase: fine-tuning by target, one joint model, or the phase's own heads."""

from collections.abc import Callable, Mapping, Sequence

from stilts.study.grid.builder import MODEL, GridBuilder, Parent, training_sets
from stilts.study.grid.measuring import add_evaluation
from stilts.study.grid.training import add_training
from stilts.study.regimes import Regime, Then
from stilts.tasks import Task


def finish(builder: GridBuilder, regime: Regime, parent: Parent, targets: Sequence[Task]) -> None:
    """Adds what the regime does with the weights of its phase, and the evaluation of it."""
    if regime.encoder == "random" or regime.intermediate == "matched":
        # What is not fine-tuned would be nonsense, or the same again.
        targets = [task for task in targets if task.train_task]
    _FINISHES[regime.then](builder, parent, targets)


def _targets(builder: GridBuilder, parent: Parent, targets: Sequence[Task]) -> None:
    """Fine-tuning on each English target set, and retrieval with the encoder as it is."""
    for name, group in training_sets(targets).items():
        label = group[0].name if len(group) == 1 else name
        trained = add_training(builder, f"{parent.prefix}.{label}", parent, "target", [name], targets=group)
        add_evaluation(builder, trained.id, parent, dict.fromkeys(group, name), label=trained.prefix)
    untrained = [task for task in targets if not task.train_task]
    if untrained:
        add_evaluation(builder, parent.id, parent, dict.fromkeys(untrained, ""), label=parent.prefix)


def _heads(builder: GridBuilder, parent: Parent, targets: Sequence[Task]) -> None:
    """The multi-task model as it is; a target that no intermediate head answers gets a linear probe."""
    trained = builder.study.intermediate.tasks
    answers = {
        task: task.head_from if task.head_from in trained else task.train_task or "" for task in targets
    }
    probes = sorted({name for name in answers.values() if name and name not in trained})
    probed = [task for task in targets if answers[task] in probes]
    label, weights = _one_run(parent), parent.id
    if probes:
        weights = add_training(builder, label, parent, "heads", probes, targets=probed).id
    notes = {task.name: "probe" for task in probed}
    add_evaluation(builder, weights, parent, answers, label=label, notes=notes)


def _joint(builder: GridBuilder, parent: Parent, targets: Sequence[Task]) -> None:
    """One encoder for all targets: their English sets together, one head each."""
    trained = [task for task in targets if task.train_task]
    names = list(training_sets(targets))
    weights = add_training(builder, _one_run(parent), parent, "joint", names, targets=trained)
    add_evaluation(builder, weights.id, parent, {task: task.train_task or "" for task in targets})


def _one_run(parent: Parent) -> str:
    """Id of the only run of a regime that goes on from these weights."""
    return parent.prefix if parent.id == MODEL else f"{parent.id}.{parent.regime}"


_FINISHES: Mapping[Then, Callable[[GridBuilder, Parent, Sequence[Task]], None]] = {
    "targets": _targets,
    "heads": _heads,
    "joint": _joint,
}
