"""What each test item adds to the scores of a study: read from stored predictions, once an evaluation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stilts import tasks
from stilts.report import inference
from stilts.report.evidence import Evidence
from stilts.report.inference import Floats, ItemEffects
from stilts.run import records
from stilts.run.folder import RunFolder
from stilts.tasks import metrics

_COLUMNS = ("target", "language", "split", "example_id", "cluster_id", "gold", "pred", "score")


@dataclass(frozen=True, kw_only=True, slots=True)
class SetEffects:
    """Of one system on a target in one language."""

    examples: frozenset[str]
    """Ids of the examples with a gold answer: systems scored on others are not paired."""
    clusters: NDArray[np.int64]
    """Numbers of the clusters that have items, each once."""
    effects: Floats
    """What each of them adds to the score, in points."""


@dataclass
class ItemReader:
    """Effects of test items on scores. A cluster of a target has one number in all systems and languages."""

    evidence: Evidence
    split: str
    _read: dict[str, dict[tuple[str, str], SetEffects]] = field(default_factory=dict)
    _numbers: dict[str, dict[str, int]] = field(default_factory=dict)

    def of_change(
        self,
        sides: tuple[str, str],
        seeds: Sequence[int],
        targets: Sequence[str],
        languages: Sequence[str] | None = None,
    ) -> list[ItemEffects] | None:
        """Effects on the difference of two rows in the mean over targets, one set of items a target.

        None where predictions are missing, or two systems answered other examples.
        """
        found = []
        for target in targets:
            by_seed = []
            for seed in seeds:
                pair = [self._sets(row, seed, target, languages) for row in sides]
                if not pair[0] or not pair[1] or not _same_items(pair[0], pair[1]):
                    return None
                by_seed.append((pair[0], pair[1]))
            found.append(_on_mean(by_seed, len(targets)))
        return found

    def _sets(
        self, row: str, seed: int, target: str, languages: Sequence[str] | None
    ) -> dict[str, SetEffects] | None:
        source = self.evidence.resolve(row, target)
        answer = self.evidence.answers.get((source, seed, target)) if source else None
        if answer is None:
            return None
        if answer.evaluation not in self._read:
            self._read[answer.evaluation] = self._parse(answer.evaluation)
        read = self._read[answer.evaluation]
        wanted = answer.languages if languages is None else languages
        found = {name: read[target, name] for name in wanted if (target, name) in read}
        return found if len(found) == len(wanted) else None

    def _parse(self, run: str) -> dict[tuple[str, str], SetEffects]:
        if run in self.evidence.damaged:
            return {}
        table = records.read("predictions", [RunFolder(self.evidence.folder / run).predictions], _COLUMNS)
        groups: dict[tuple[str, str], list[int]] = {}
        places = zip(*(table[name].to_pylist() for name in ("target", "language", "split")), strict=True)
        for number, (target, language, split) in enumerate(places):
            if split == self.split:
                groups.setdefault((target, language), []).append(number)
        found = {place: self._effects(*place, table.take(rows).to_pydict()) for place, rows in groups.items()}
        return {place: effects for place, effects in found.items() if effects is not None}

    def _effects(self, target: str, language: str, columns: dict[str, list[Any]]) -> SetEffects | None:
        metric = metrics.load(tasks.load(target).metric)
        if metric.contributions is None:
            return None
        counts = metric.contributions(columns, language)
        numbers = self._numbers.setdefault(target, {})
        ids = [
            numbers.setdefault(str(cluster or example), len(numbers))
            for cluster, example in zip(columns["cluster_id"], columns["example_id"], strict=True)
        ]
        clusters, places = np.unique(np.asarray(ids, np.int64), return_inverse=True)
        if metric.resampled == "f1":
            effects = inference.f1_effects(counts, places, len(clusters))
        else:
            effects = inference.mean_effects(counts[:, 0], places, len(clusters))
        answered = zip(columns["example_id"], columns["gold"], strict=True)
        examples = frozenset(name for name, gold in answered if gold is not None)
        return SetEffects(examples=examples, clusters=clusters, effects=100 * effects)


def _same_items(first: dict[str, SetEffects], second: dict[str, SetEffects]) -> bool:
    return first.keys() == second.keys() and all(
        first[language].examples == second[language].examples for language in first
    )


def _on_mean(
    by_seed: Sequence[tuple[dict[str, SetEffects], dict[str, SetEffects]]], num_targets: int
) -> ItemEffects:
    """Effects on the mean over a target's languages, as a share of the mean over targets."""
    sets = [one for pair in by_seed for side in pair for one in side.values()]
    clusters = np.unique(np.concatenate([one.clusters for one in sets]))
    effects = np.zeros((len(by_seed), len(clusters)))
    for row, (first, second) in zip(effects, by_seed, strict=True):
        for sign, side in ((1, first), (-1, second)):
            for one in side.values():
                row[np.searchsorted(clusters, one.clusters)] += sign * one.effects / len(side)
    first = by_seed[0][0]
    steps = [100 / len(one.examples) / len(first) for one in first.values()]
    return ItemEffects(effects=effects / num_targets, step=math.hypot(*steps) / num_targets)
