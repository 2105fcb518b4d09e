"""Expands a study into runs: each grid is a named set of runs together with all they need.

`expand(study, "all")` lists the runs parents first. Work that several regimes need is one run: XQuAD and
MLQA share one SQuAD fine-tuning, and BUCC and Tatoeba are read off the intermediate encoder as it is.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from hpc.errors import UserError, unknown_name
from stilts import tasks
from stilts.run.specs import (
    BaselineSpec,
    DeploySpec,
    EvaluateSpec,
    LatencySpec,
    PrepareSpec,
    RunSpec,
    TrainSpec,
)
from stilts.study import regimes
from stilts.study.config import Study
from stilts.study.grid.builder import MODEL, GridBuilder, languages_of
from stilts.study.grid.finishing import finish
from stilts.study.grid.intermediate import TEXT, read_by_variants, start, text_languages
from stilts.study.grid.measuring import add_baselines, add_deployment, add_latency
from stilts.tasks import Task

__all__ = ["GRIDS", "TEXT", "expand", "languages_of", "read_by_variants", "text_languages"]

IsWanted = Callable[[RunSpec], bool]


def _trains(*phases: str) -> IsWanted:
    return lambda run: isinstance(run.asked, TrainSpec) and run.asked.phase in phases


def _is_variant(run: RunSpec) -> bool:
    asked = run.asked
    return isinstance(asked, TrainSpec | EvaluateSpec) and regimes.find(asked.regime).role == "variant"


GRIDS: Mapping[str, tuple[str, IsWanted]] = {
    "intermediate": ("each intermediate task alone", _trains("single")),
    "multitask": ("one encoder on all intermediate tasks", _trains("multi")),
    "targets": ("target fine-tuning after every intermediate phase", _trains("target")),
    "joint": (
        "one model for all targets: joint fine-tuning, and the multi-task heads used directly",
        _trains("joint", "heads"),
    ),
    "variants": (
        "intermediate phases with masked text or translations, where the study lists some",
        _is_variant,
    ),
    "evaluate": ("zero-shot scores of every regime", lambda run: isinstance(run.asked, EvaluateSpec)),
    "baselines": ("baselines for the sanity table", lambda run: isinstance(run.asked, BaselineSpec)),
    "latency": (
        "inference latency, in fresh processes",
        lambda run: isinstance(run.asked, LatencySpec),
    ),
    "deploy": (
        "one model for all targets against one for each: memory, time, rate",
        lambda run: isinstance(run.asked, DeploySpec),
    ),
    "all": ("everything above", lambda _: True),
}


def expand(study: Study, grid: str) -> list[RunSpec]:
    """The runs of a grid and all they need, parents first.

    Raises:
        UserError: an unknown grid, or a task the study names that does not exist.
    """
    if grid not in GRIDS:
        raise unknown_name("grid", grid, GRIDS)
    variants = study.variants
    if grid == "variants" and not (variants.mlm or variants.translated or variants.long):
        raise UserError(
            f"study {study.name} has no [variants.mlm], no [variants.translated] and no [variants.long]"
        )
    builder = _build(study)
    runs = builder.runs
    is_wanted = GRIDS[grid][1]
    keep: set[str] = set()
    for run in reversed(runs.values()):
        roles = [run, *(replace(run, asked=asked) for _, asked in builder.also.get(run.id, ()))]
        if any(map(is_wanted, roles)) or run.id in keep:
            keep |= {run.id, *run.needs}
    return [run for run in runs.values() if run.id in keep]


def refuse_untrainable(study: Study, runs: Iterable[RunSpec]) -> None:
    """Refuses runs that would train a model without a tokenizer.

    Raises:
        UserError: what such a model is for.
    """
    if not study.model.has_tokenizer and any(isinstance(run.asked, TrainSpec) for run in runs):
        raise UserError(
            f"the model {study.model.source} has no tokenizer: it is there to be timed, or to be trained on "
            'the pieces of the study\'s own texts: vocabulary = "study" under [model]'
        )


def _build(study: Study) -> GridBuilder:
    builder = GridBuilder(study)
    if study.deploy.lengths:
        builder.add(MODEL, PrepareSpec(model=study.model))
        add_deployment(builder)
        return builder
    intermediates = [tasks.load(name) for name in study.intermediate.tasks]
    targets = [tasks.load(name) for name in study.targets]
    _add_model(builder, intermediates + targets)
    # Intermediate phases first: fine-tuning that would be the same as one of them is then that one.
    ordered = sorted(regimes.REGIMES, key=lambda regime: regime.intermediate not in ("single", "multi"))
    for seed in study.seeds:
        for regime in ordered:
            if not regime.chosen_from:
                for phase in regime.phases(study):
                    finish(builder, regime, start(builder, regime, phase, seed), targets)
    add_baselines(builder, intermediates, targets)
    add_latency(builder)
    add_deployment(builder)
    return builder


def _add_model(builder: GridBuilder, used: list[Task]) -> None:
    study = builder.study
    texts: dict[str, tuple[str, ...]] = {}
    # Read here in any case: phases and languages of variants are looked at before anything is planned.
    variants = read_by_variants(study)
    if study.model.vocabulary == "study":
        read = {name: tasks.load(name) for task in used for name in (task.name, task.train_task) if name}
        texts = {name: languages_of(study, task) for name, task in sorted(read.items())} | variants
    data = builder.data(texts) if texts else {}
    builder.add(MODEL, PrepareSpec(model=study.model, texts=texts, **data))
