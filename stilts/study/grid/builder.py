"""A study's runs while they are being written down, and what all of them say alike."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from stilts import tasks
from stilts.run.settings import Limits, Optimisation
from stilts.run.specs import RunSpec, Stage, TrainSpec
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
    name: str = ""
    """What it would be called if another run had not trained the same already."""
    matched: str = ""
    """A run whose steps are added to those of the fine-tuning."""

    @property
    def prefix(self) -> str:
        """What the ids of its children begin with."""
        if self.name:
            return self.name
        return f"{self.regime}-s{self.seed}" if self.id == MODEL else self.id


@dataclass
class GridBuilder:
    """Collects the runs of a study; a run is added after those it needs."""

    study: Study
    runs: dict[str, RunSpec] = field(default_factory=dict)
    also: dict[str, list[tuple[str, TrainSpec]]] = field(default_factory=dict)
    """By run: what else it is, under which id, where another one would have trained the same."""
    _children: dict[str, list[RunSpec]] = field(default_factory=dict)

    def add(self, run_id: str, asked: Stage, needs: Iterable[str] = (), *, tokens: int = 0) -> str:
        """Adds one run and returns its id; work that is there already is not repeated."""
        if run_id not in self.runs:
            parents = {need: self.runs[need].fingerprint for need in needs}
            spec = RunSpec(
                study=self.study.name,
                id=run_id,
                asked=asked,
                needs=tuple(parents),
                parents=parents,
                tokens=tokens,
            )
            self.runs[run_id] = spec
            for first in spec.needs[:1]:
                self._children.setdefault(first, []).append(spec)
        return run_id

    def children_of(self, run_id: str) -> Sequence[RunSpec]:
        """The runs so far that start from this one."""
        return self._children.get(run_id, ())

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
    return examples_of(study, task, split, languages) * tokens_an_example(study, task)


def tokens_an_example(study: Study, task: Task) -> int:
    """Tokens of an example, more or less, where the study looks first."""
    return task.embedded_tokens if study.sources[0] == "embedded" else task.typical_tokens


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """What a task of a training run comes to, by what is known before its data are read."""

    steps: float
    tokens: float
    passes: float
    """Over its own set; 0 where its size is not known."""


def training_shares(study: Study, names: Sequence[str], settings: Optimisation) -> dict[str, Share]:
    """Estimate of what a training run sees of each task, drawn in proportion to their capped sizes."""
    found = {name: tasks.load(name) for name in names}
    counts = {name: examples_of(study, task, "train", ("en",)) for name, task in found.items()}
    cap = study.intermediate.example_cap if len(found) > 1 else max(counts.values())
    weights = {name: min(count, cap) for name, count in counts.items()}
    items = {
        name: examples_a_batch(study, task, _size(study, name, settings)) for name, task in found.items()
    }
    steps = settings.epochs * sum(weights[name] / items[name] for name in found)
    if settings.max_steps is not None:
        steps = min(steps or settings.max_steps, settings.max_steps)
    total = sum(weights.values())
    shares = {}
    for name, task in found.items():
        mine = steps * weights[name] / total if total else steps / len(found)
        seen = mine * items[name]
        shares[name] = Share(
            steps=mine,
            tokens=seen * tokens_an_example(study, task),
            passes=seen / counts[name] if counts[name] else 0.0,
        )
    return shares


def examples_a_batch(study: Study, task: Task, settings: Optimisation) -> float:
    """Examples of a batch; of one that is measured in tokens, on average."""
    if settings.examples_per_batch is not None:
        return float(settings.examples_per_batch)
    return max(1.0, (settings.tokens_per_batch or 0) / tokens_an_example(study, task))


def _size(study: Study, name: str, settings: Optimisation) -> Optimisation:
    """The settings that give a task's batches their size."""
    return study.optimisation_of(name) if settings.batches == "own" else settings
