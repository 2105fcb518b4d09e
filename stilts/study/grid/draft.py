"""A study's runs while they are being written down, and what all of them say alike."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from stilts import tasks
from stilts.run.specs import Kind, RunSpec
from stilts.study.config import Optimisation, Study
from stilts.tasks import Task

# Rough lengths of one example in tokens, only for the plan's estimate.
_TYPICAL_TOKENS = {"classify": 32, "choice": 80, "span": 64, "tag": 16, "retrieve": 16, "mlm": 128}


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
    limits = {name: asdict(study.limits_of(tasks.untranslated(name))) for name in sorted(set(names))}
    return {"sources": list(study.sources), "limits": limits}


def said(settings: Optimisation) -> dict[str, Any]:
    """Settings as a run's fields: what a study leaves unsaid stays so, and runs outlive new settings."""
    fields = asdict(settings)
    unsaid = {"examples_per_batch": None, "batches": "alike", "dev_examples": None}
    return {name: value for name, value in fields.items() if name not in unsaid or value != unsaid[name]}


def training_sets(targets: Iterable[Task]) -> dict[str, list[Task]]:
    """Targets by the English set they are fine-tuned on."""
    sets: dict[str, list[Task]] = {}
    for task in targets:
        if task.trains_on:
            sets.setdefault(task.trains_on, []).append(task)
    return sets


def examples_of(study: Study, task: Task, split: str, languages: Iterable[str]) -> int:
    """Examples of a split in these languages, as far as they are known."""
    limit = getattr(study.limits_of(task.name), split)
    sizes = (task.size_of(split=split, language=language) for language in languages)
    return sum((size or 0) if limit is None else limit for size in sizes)


def tokens_of(study: Study, task: Task, split: str, languages: Iterable[str]) -> int:
    """Estimate of the tokens of a split in these languages."""
    return examples_of(study, task, split, languages) * _TYPICAL_TOKENS[task.kind]


def training_tokens(study: Study, names: list[str], settings: Optimisation) -> int:
    """Estimate of the tokens trained on: so many passes over the capped mixture, or steps at most."""
    cap = study.intermediate.cap if len(names) > 1 else None
    found = [(tasks.load(name), examples_of(study, tasks.load(name), "train", ("en",))) for name in names]
    passes = sum(min(count, cap or count) * _TYPICAL_TOKENS[task.kind] for task, count in found)
    total = int(settings.epochs * passes)
    if settings.max_steps is None:
        return total
    size = settings.tokens_per_batch or (settings.examples_per_batch or 0) * max(
        _TYPICAL_TOKENS[task.kind] for task, _ in found
    )
    return min(total or settings.max_steps * size, settings.max_steps * size)
