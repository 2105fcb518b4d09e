"""A study's runs while they are being written down, and what all of them say alike."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from stilts import tasks
from stilts.run.settings import Limits, Optimisation
from stilts.run.specs import RunSpec, Stage
from stilts.study.config import Study
from stilts.tasks import Task

MODEL = "model"
"""Id of the run that prepares the pretrained encoder."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parent:
    """Weights that fine-tuning or evaluation starts from, and the table row they belong to."""

    id: str
    regime: str
    intermediate: str
    seed: int

    @property
    def prefix(self) -> str:
        """What the ids of its children begin with."""
        return f"{self.regime}-s{self.seed}" if self.id == MODEL else self.id


@dataclass
class GridBuilder:
    """Collects the runs of a study; a run is added after those it needs."""

    study: Study
    runs: dict[str, RunSpec] = field(default_factory=dict)

    def add(self, run_id: str, asked: Stage, needs: Iterable[str] = (), *, tokens: int = 0) -> str:
        """Adds one run and returns its id; work that is there already is not repeated."""
        if run_id not in self.runs:
            parents = {need: self.runs[need].fingerprint for need in needs}
            self.runs[run_id] = RunSpec(
                study=self.study.name,
                id=run_id,
                asked=asked,
                needs=tuple(parents),
                parents=parents,
                tokens=tokens,
            )
        return run_id

    def data(self, names: Iterable[str]) -> dict[str, Any]:
        """What decides which examples a run reads of these tasks."""
        limits = {name: self.study.limits_of(tasks.untranslated(name)) for name in sorted(set(names))}
        return {
            "sources": self.study.sources,
            "limits": {name: limit for name, limit in limits.items() if limit != Limits()},
        }


def languages_of(study: Study, task: Task) -> tuple[str, ...]:
    """Languages the study evaluates a task in, in the task's own order."""
    chosen = study.languages.get(task.name, study.languages.get("default"))
    return tuple(language for language in task.languages if chosen is None or language in chosen)


def training_sets(targets: Iterable[Task]) -> dict[str, list[Task]]:
    """Targets by the English set they are fine-tuned on."""
    sets: dict[str, list[Task]] = {}
    for task in targets:
        if task.train_task:
            sets.setdefault(task.train_task, []).append(task)
    return sets


def examples_of(study: Study, task: Task, split: str, languages: Iterable[str]) -> int:
    """Examples of a split in these languages, as far as they are known."""
    limit = study.limits_of(task.name).of(split)
    sizes = (task.size_of(split=split, language=language) for language in languages)
    return sum((size or 0) if limit is None else limit for size in sizes)


def tokens_of(study: Study, task: Task, split: str, languages: Iterable[str]) -> int:
    """Estimate of the tokens of a split in these languages."""
    return examples_of(study, task, split, languages) * task.typical_tokens


def training_tokens(study: Study, names: Iterable[str], settings: Optimisation) -> int:
    """Estimate of the tokens trained on: so many passes over the capped mixture, or steps at most."""
    found = [(task, examples_of(study, task, "train", ("en",))) for task in map(tasks.load, names)]
    cap = study.intermediate.example_cap if len(found) > 1 else None
    passes = sum(min(count, cap or count) * task.typical_tokens for task, count in found)
    total = int(settings.epochs * passes)
    if settings.max_steps is None:
        return total
    size = settings.tokens_per_batch or (settings.examples_per_batch or 0) * max(
        task.typical_tokens for task, _ in found
    )
    return min(total or settings.max_steps * size, settings.max_steps * size)
