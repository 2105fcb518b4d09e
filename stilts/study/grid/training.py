"""One training run: what it is asked, whatever regime it belongs to."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from hpc.errors import UserError
from stilts.run.settings import Optimisation
from stilts.run.specs import BatchSize, Phase, TrainSpec
from stilts.study import regimes
from stilts.study.config import Study
from stilts.study.grid.builder import GridBuilder, Parent, training_shares
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
        The trained weights: those of a run that is there already, where it trains the same.
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
        matched=parent.matched,
        **(extra or {}),
    )
    known = _same_training(builder, asked, parent)
    if known is not None:
        builder.also.setdefault(known, []).append((run_id, asked))
    else:
        needs = [parent.id, *filter(None, [parent.matched])]
        builder.add(run_id, asked, needs, tokens=_tokens(study, asked))
    return Parent(
        id=known or run_id,
        regime=parent.regime,
        intermediate=parent.intermediate,
        seed=parent.seed,
        name=run_id,
    )


def _same_training(builder: GridBuilder, asked: TrainSpec, parent: Parent) -> str | None:
    """A run that trains the same from the same weights, whatever it is for."""
    for run in builder.children_of(parent.id):
        other = run.asked
        if (
            isinstance(other, TrainSpec)
            and {asked.phase, other.phase} == {"single", "target"}
            and asked.tasks == other.tasks  # most differ in that, and to look at all of it takes long
            and replace(
                asked,
                phase=other.phase,
                regime=other.regime,
                intermediate=other.intermediate,
                targets=other.targets,
            )
            == other
        ):
            return run.id
    return None


def _tokens(study: Study, asked: TrainSpec) -> int:
    """Estimate of the tokens trained on."""
    settings = asked.optimisation
    shares = training_shares(study, asked.tasks, settings).values()
    total = sum(share.tokens for share in shares)
    for name, languages in asked.translations.items():
        total += len(languages) * sum(share.tokens for share in shares if name in asked.tasks)
    if asked.text is not None:
        batch = settings.tokens_per_batch or (settings.examples_per_batch or 0) * asked.text.block
        total += batch * sum(share.steps for share in shares) / asked.text.every
    return int(total)


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
