"""The runs that measure: evaluation of weights, yardsticks, latency."""

from dataclasses import asdict

from stilts.study.grid.draft import Draft, Start, data_of, languages_of, tokens_of, training_sets
from stilts.tasks import Task


def add_evaluation(
    draft: Draft,
    weights: str,
    start: Start,
    answers: dict[Task, str],
    *,
    label: str = "",
    notes: dict[str, str] | None = None,
) -> None:
    """Scores of one set of weights: `answers` says which head answers each target."""
    study = draft.study
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
        **data_of(study, asked),
    }
    if any(task.kind == "retrieve" for task in answers):
        fields["retrieval"] = asdict(study.retrieval)
    tokens = sum(tokens_of(study, task, "test", asked[task.name]["languages"]) for task in answers)
    draft.add(f"{label or weights}.eval", "evaluate", [weights], fields, tokens)


def add_baselines(draft: Draft, intermediates: list[Task], targets: list[Task]) -> None:
    """What a training set teaches without an encoder."""
    study = draft.study
    methods = [method for method in study.baselines if method != "random"]
    sets = training_sets(targets)
    for name in dict.fromkeys([*(task.name for task in intermediates), *sets]) if methods else ():
        asked = {task.name: languages_of(study, task) for task in sets.get(name, [])}
        fields = {"methods": methods, "trains_on": name, "targets": asked, **data_of(study, [name, *asked])}
        draft.add(f"baseline.{name}", "baseline", (), fields, 0)


def add_latency(draft: Draft, targets: list[Task]) -> None:
    """Processes that time the chosen regimes on the chosen targets."""
    study = draft.study
    seed = study.seeds[0]
    by_name = {task.name: task for task in targets}
    variants = []
    for run in draft.runs.values():
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
            **data_of(study, study.latency.targets),
        }
        draft.add(f"latency.p{process}", "latency", needs, fields, 0)
