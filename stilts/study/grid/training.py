"""One training run: what it is asked, whatever regime it belongs to."""

from collections.abc import Iterable, Sequence
from typing import Any

from hpc.errors import UserError
from stilts.run.settings import Optimisation
from stilts.run.specs import BatchSize, Phase, TrainSpec
from stilts.study import regimes
from stilts.study.config import Study
from stilts.study.grid.builder import GridBuilder, Parent, training_tokens
from stilts.tasks import Task


def add_training(
    builder: GridBuilder,
    run_id: str,
    parent: Parent,
    phase: Phase,
    names: Sequence[str],
    *,
    targets: Iterable[Task] = (),
    extra: dict[str, Any] | None = None,
    extra_data: Iterable[str] = (),
) -> Parent:
    """Adds one training run.

    Args:
        builder: the study's runs so far.
        run_id: the run's id.
        parent: weights it starts from, and its row in the tables.
        phase: what kind of phase it is.
        names: what it trains on.
        targets: those that its weights answer.
        extra: fields of this run alone.
        extra_data: sets that it reads beside `names`.

    Returns:
        The trained weights.
    """
    study, targets = builder.study, list(targets)
    settings = _settings(study, phase, names, targets)
    asked = TrainSpec(
        phase=phase,
        regime=parent.regime,
        intermediate=parent.intermediate,
        encoder=regimes.find(parent.regime).encoder,
        seed=parent.seed,
        tasks=tuple(names),
        targets=tuple(task.name for task in targets),
        optimisation=settings,
        dev_examples=_dev_examples(study, names, settings),
        batch_sizes={name: _batch_size(study, name) for name in names} if settings.batches == "own" else {},
        zero=study.zero,
        pooling=study.model.pooling,
        example_cap=study.intermediate.example_cap,
        **builder.data([*names, *extra_data]),
        **(extra or {}),
    )
    builder.add(run_id, asked, [parent.id], tokens=training_tokens(study, names, settings))
    return Parent(id=run_id, regime=parent.regime, intermediate=parent.intermediate, seed=parent.seed)


def _settings(study: Study, phase: Phase, names: Sequence[str], targets: list[Task]) -> Optimisation:
    """How a run is trained: by its phase where it trains on several sets, else by its target or its set.

    Raises:
        UserError: targets that share a run have settings of their own that differ.
    """
    if phase in ("multi", "joint", "heads"):
        return study.optimisation_of(phase)
    own = {task.name: study.optimisation[task.name] for task in targets if task.name in study.optimisation}
    if len(own) > 1 and len({repr(one) for one in own.values()}) > 1:
        raise UserError(
            f"study {study.name}: {' and '.join(own)} are answered by one fine-tuning on {names[0]}, but "
            "their [optimisation] tables differ; keep one of them"
        )
    return study.optimisation_of(*own, names[0])


def _dev_examples(study: Study, names: Sequence[str], settings: Optimisation) -> dict[str, int]:
    """As a run's settings say where it trains on one set, else as those of each set do."""
    own = {name: settings if len(names) == 1 else study.optimisation_of(name) for name in names}
    return {name: one.dev_examples for name, one in own.items() if one.dev_examples is not None}


def _batch_size(study: Study, name: str) -> BatchSize:
    settings = study.optimisation_of(name)
    return BatchSize(
        tokens_per_batch=settings.tokens_per_batch, examples_per_batch=settings.examples_per_batch
    )
