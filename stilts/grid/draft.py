"""A study's runs while they are being written down, and what all of them say alike."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from stilts import tasks
from stilts.config import Study
from stilts.runs import Kind, RunSpec
from stilts.tasks import Task

# Rough lengths of one example in tokens, only for the plan's estimate.
_TYPICAL_TOKENS = {"classify": 32, "choice": 80, "span": 64, "tag": 16, "retrieve": 16}


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """Weights that fine-tuning or evaluation starts from, and the table row they belong to."""

    id: str
    regime: str
    intermediate: str
    seed: int


@dataclass
class Draft:
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


def languages_of(study: Study, task: Task) -> list[str]:
    """Languages the study evaluates a task in, in the task's own order."""
    chosen = study.languages.get(task.name, study.languages.get("default"))
    return [language for language in task.languages if chosen is None or language in chosen]


def data_of(study: Study, names: Iterable[str]) -> dict[str, Any]:
    """What decides which examples a run reads."""
    return {
        "sources": list(study.sources),
        "limits": {name: asdict(study.limits_of(name)) for name in sorted(set(names))},
    }


def training_sets(targets: Iterable[Task]) -> dict[str, list[Task]]:
    """Targets by the English set they are fine-tuned on."""
    sets: dict[str, list[Task]] = {}
    for task in targets:
        if task.trains_on:
            sets.setdefault(task.trains_on, []).append(task)
    return sets


def tokens_of(study: Study, task: Task, split: str, languages: int) -> int:
    """Estimate of the tokens of a split in so many languages."""
    limit = getattr(study.limits_of(task.name), split)
    return (limit or 0) * languages * _TYPICAL_TOKENS[task.kind]


def training_tokens(study: Study, names: list[str], epochs: float) -> int:
    """Estimate of the tokens trained on."""
    return int(epochs * sum(tokens_of(study, tasks.load(name), "train", 1) for name in names))
