"""Intervals from one seed: the same test items drawn again for two systems, in clusters that belong
together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stilts import tasks
from stilts.report import inference
from stilts.report.evidence import Answer, Evidence
from stilts.report.inference import Floats
from stilts.run import records
from stilts.run.folder import RunFolder
from stilts.tasks import Task, metrics
from stilts.tasks.metrics import Row

_COLUMNS = ("target", "language", "split", "example_id", "cluster_id", "gold", "pred", "score")


@dataclass(frozen=True, kw_only=True, slots=True)
class Items:
    """One system's predictions on one set, in the order of the example ids."""

    examples: tuple[str, ...]
    clusters: tuple[str, ...]
    counts: Floats
    """[items, columns]: what each item contributes to the metric."""


@dataclass
class ItemDraws:
    """Resampled scores of every system of a study; the same items are drawn for all of them."""

    evidence: Evidence
    split: str
    resamples: int
    _read: dict[str, dict[tuple[str, str], Items]] = field(default_factory=dict)
    _means: dict[tuple[str, str], dict[str, Floats]] = field(default_factory=dict)
    _examples: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    _drawn: dict[tuple[str, int], NDArray[np.uint8]] = field(default_factory=dict)

    @cached_property
    def seed(self) -> int:
        """The one seed whose predictions are drawn from."""
        return self.evidence.seeds[0]

    def score(self, row: str, target: str, languages: Sequence[str] | None = None) -> Floats | None:
        """Resampled mean over languages, in points: [resamples]. None where items say nothing of the
        score.
        """
        source = self.evidence.resolve(row, target)
        answer = self.evidence.answers.get((source, self.seed, target)) if source else None
        if source is None or answer is None:
            return None
        wanted = answer.languages if languages is None else languages
        found = [self._language(source, target, language) for language in wanted]
        known = [resampled for resampled in found if resampled is not None]
        if not known or len(known) < len(found):
            return None
        mean: Floats = np.mean(known, axis=0)
        return mean

    def _language(self, row: str, target: str, language: str) -> Floats | None:
        key = (row, target)
        if key not in self._means:
            answer = self.evidence.answers[row, self.seed, target]
            self._means[key] = self._resample(answer, tasks.load(target))
        return self._means[key].get(language)

    def _resample(self, answer: Answer, task: Task) -> dict[str, Floats]:
        read = self._items_of(answer.evaluation)
        found = {
            language: read[task.name, language]
            for language in answer.languages
            if (task.name, language) in read
        }
        metric = metrics.load(task.metric)
        if metric.contributions is None:
            return {}
        for language, items in found.items():
            if self._examples.setdefault((task.name, language), items.examples) != items.examples:
                return {}  # scored on other examples than the systems before: nothing to pair
        names = sorted({name for items in found.values() for name in items.clusters})
        draws = self._draws(task.name, len(names))
        index = {name: n for n, name in enumerate(names)}
        return {
            language: 100 * _resampled(items, index, draws, metric.resampled)
            for language, items in found.items()
        }

    def _draws(self, target: str, num_clusters: int) -> NDArray[np.uint8]:
        # Equal draws for equal clusters keep two systems paired and let parallel languages move together; the
        # targets are drawn independently of each other.
        key = (target, num_clusters)
        if key not in self._drawn:
            order = [task.name for task in self.evidence.targets].index(target)
            self._drawn[key] = inference.item_draws(num_clusters, self.resamples, seed=order)
        return self._drawn[key]

    def _items_of(self, evaluation: str) -> dict[tuple[str, str], Items]:
        if evaluation not in self._read:
            folder = RunFolder(self.evidence.folder / evaluation).predictions
            rows = records.read("predictions", [folder], _COLUMNS).to_pylist()
            self._read[evaluation] = _grouped(rows, self.split)
        return self._read[evaluation]


def _grouped(rows: Sequence[Mapping[str, Any]], split: str) -> dict[tuple[str, str], Items]:
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["split"] == split:
            groups.setdefault((row["target"], row["language"]), []).append(row)
    return {
        (target, language): _items(contributions, language, group)
        for (target, language), group in groups.items()
        if (contributions := metrics.load(tasks.load(target).metric).contributions) is not None
    }


def _items(
    contributions: Callable[[Sequence[Row], str], Floats], language: str, rows: Sequence[Row]
) -> Items:
    ordered = sorted(rows, key=lambda row: str(row["example_id"]))
    return Items(
        examples=tuple(row["example_id"] for row in ordered),
        clusters=tuple(row["cluster_id"] or row["example_id"] for row in ordered),
        counts=contributions(ordered, language),
    )


def _resampled(
    items: Items, index: Mapping[str, int], draws: NDArray[np.uint8], how: Literal["mean", "f1"]
) -> Floats:
    clusters: NDArray[np.int64] = np.array([index[name] for name in items.clusters], dtype=np.int64)
    sums = inference.cluster_sums(items.counts, clusters, len(index))
    if how == "f1":
        return inference.resampled_f1(sums[:, 0], sums[:, 1], sums[:, 2], draws)
    sizes = inference.cluster_sums(np.ones(len(clusters)), clusters, len(index))
    return inference.resampled_means(sums[:, 0], sizes, draws)
