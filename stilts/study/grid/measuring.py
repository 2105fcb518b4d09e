"""The runs that measure: evaluation of weights, baselines, latency, ways to serve."""

from collections.abc import Sequence

from stilts.run.specs import BaselineSpec, DeploySpec, EvaluateSpec, LatencySpec, Target, TimedModel
from stilts.study.grid.builder import MODEL, GridBuilder, Parent, languages_of, tokens_of, training_sets
from stilts.tasks import Task


def add_evaluation(
    builder: GridBuilder,
    weights: str,
    parent: Parent,
    answers: dict[Task, str],
    *,
    label: str = "",
    notes: dict[str, str] | None = None,
) -> None:
    """Scores of one set of weights: `answers` says which head answers each target."""
    study = builder.study
    targets = {
        task.name: Target(
            head=head, languages=languages_of(study, task), note=(notes or {}).get(task.name, "")
        )
        for task, head in answers.items()
    }
    asked = EvaluateSpec(
        regime=parent.regime,
        intermediate=parent.intermediate,
        seed=parent.seed,
        targets=targets,
        evaluation=study.evaluation,
        # A target that no head answers is retrieval.
        retrieval=study.retrieval if "" in answers.values() else None,
        rules=study.rules,
        **builder.data(targets),
    )
    tokens = sum(tokens_of(study, task, "test", targets[task.name].languages) for task in answers)
    builder.add(f"{label or weights}.eval", asked, [weights], tokens=tokens)


def add_baselines(builder: GridBuilder, intermediates: list[Task], targets: list[Task]) -> None:
    """What a training set teaches without an encoder."""
    study = builder.study
    methods = tuple(method for method in study.baselines if method != "random")
    sets = training_sets(targets)
    for name in dict.fromkeys([*(task.name for task in intermediates), *sets]) if methods else ():
        spoken = {task.name: languages_of(study, task) for task in sets.get(name, [])}
        asked = BaselineSpec(
            methods=methods, train_task=name, targets=spoken, **builder.data([name, *spoken])
        )
        builder.add(f"baseline.{name}", asked)


def add_latency(builder: GridBuilder) -> None:
    """Processes that time the chosen regimes on the chosen targets."""
    study = builder.study
    seed = study.seeds[0]
    models = _timed(builder, study.latency.regimes, study.latency.targets)
    needs = list(dict.fromkeys(model.weights for model in models))
    for process in range(1, study.latency.processes + 1) if models else ():
        timed = LatencySpec(
            process=process,
            seed=seed,
            models=tuple(models),
            protocol=study.latency,
            dtype=study.evaluation.dtype,
            retrieval=study.retrieval,
            **builder.data(study.latency.targets),
        )
        builder.add(f"latency.p{process}", timed, needs)


def add_deployment(builder: GridBuilder) -> None:
    """Processes that serve the study's targets by one model for all, and by one for each."""
    study, asked = builder.study, builder.study.deploy
    if asked.lengths:
        # Time does not depend on weights: one set stands for all.
        shared, apart = (
            [
                TimedModel(regime=regime, intermediate="", weights=MODEL, target=name, head=name)
                for name in asked.targets
            ]
            for regime in (asked.shared, asked.apart)
        )
    else:
        shared, apart = (_timed(builder, (regime,), asked.targets) for regime in (asked.shared, asked.apart))
    needs = list(dict.fromkeys(model.weights for model in (*shared, *apart)))
    for process in range(1, asked.processes + 1) if needs else ():
        timed = DeploySpec(
            process=process,
            seed=study.seeds[0],
            shared=tuple(shared),
            apart=tuple(apart),
            protocol=asked,
            **builder.data(asked.targets),
        )
        builder.add(f"deploy.p{process}", timed, needs)


def _timed(builder: GridBuilder, regimes: Sequence[str], targets: Sequence[str]) -> list[TimedModel]:
    """The weights of the first seed that answer these targets under these regimes."""
    seed = builder.study.seeds[0]
    return [
        TimedModel(
            regime=asked.regime,
            intermediate=asked.intermediate,
            weights=run.needs[0],
            target=name,
            head=answer.head,
        )
        for run in builder.runs.values()
        if isinstance(asked := run.asked, EvaluateSpec) and asked.seed == seed and asked.regime in regimes
        for name, answer in asked.targets.items()
        if name in targets
    ]
