"""What each test item adds to the scores of a study: read from stored predictions, once an evaluation."""

import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
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

    examples: str
    """A digest of the ids of the examples with a gold answer: systems scored on others are not paired."""
    count: int
    """Those examples."""
    clusters: NDArray[np.int64]
    """Numbers of the clusters that have items, each once."""
    effects: Floats
    """What each of them adds to the score, in points."""
    score: float
    """Points."""


Sets = dict[tuple[str, str], SetEffects]
"""By target and language."""
Numbers = dict[str, dict[str, int]]
"""Of clusters, by target and name."""
_MANY = 200
"""Evaluations from which several processes are quicker, which take seconds to start."""


@dataclass
class ItemReader:
    """Effects of test items on scores. A cluster of a target has one number in all systems and languages."""

    evidence: Evidence
    split: str
    _read: dict[str, Sets] = field(default_factory=dict)
    _numbers: Numbers = field(default_factory=dict)

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
                if not pair[0] or not pair[1] or pair[0].keys() != pair[1].keys():
                    return None
                if not all(same_items(pair[0][language], pair[1][language]) for language in pair[0]):
                    return None
                by_seed.append((list(pair[0].values()), list(pair[1].values())))
            found.append(on_mean(by_seed, len(targets)))
        return found

    def __post_init__(self) -> None:
        """Many evaluations are read by several processes, from now on: reading is mostly Python's work."""
        self._places = self._found()
        self._coming: Iterator[tuple[Sets, Numbers]] = iter(())
        if len(self._places) >= _MANY:
            pool = ProcessPoolExecutor(records.THREADS, mp_context=get_context("spawn"))
            proven = [self.evidence.is_whole(run) for run in self._places]
            self._coming = pool.map(
                _read_apart, self._places.values(), repeat(self.split), proven, chunksize=8
            )
            # What was handed over is still done.
            pool.shutdown(wait=False)

    def _found(self) -> dict[str, Path]:
        """Folders of predictions, by evaluation."""
        runs = dict.fromkeys(answer.evaluation for answer in self.evidence.answers.values())
        return {
            run: RunFolder(self.evidence.folder / run).predictions
            for run in runs
            if run not in self.evidence.damaged
        }

    def _read_all(self) -> None:
        """Every evaluation, once."""
        if len(self._places) < _MANY:
            for run, place in self._places.items():
                self._read[run] = read_sets(
                    place, self.split, self._numbers, proven=self.evidence.is_whole(run)
                )
        else:
            for run, (sets, own) in zip(self._places, self._coming, strict=True):
                self._read[run] = _renumbered(sets, own, self._numbers)

    def _sets(
        self, row: str, seed: int, target: str, languages: Sequence[str] | None
    ) -> dict[str, SetEffects] | None:
        source = self.evidence.resolve(row, target)
        answer = self.evidence.answers.get((source, seed, target)) if source else None
        if answer is None:
            return None
        if not self._read:
            self._read_all()
        read = self._read.get(answer.evaluation, {})
        wanted = answer.languages if languages is None else languages
        found = {name: read[target, name] for name in wanted if (target, name) in read}
        return found if len(found) == len(wanted) else None


def _read_apart(folder: Path, split: str, proven: bool) -> tuple[Sets, Numbers]:
    """For another process: sets with numbers of their own."""
    numbers: Numbers = {}
    return read_sets(folder, split, numbers, proven=proven), numbers


def _renumbered(sets: Sets, own: Numbers, shared: Numbers) -> Sets:
    """The sets with the numbers that all systems share."""
    into = {
        target: np.array(
            [shared.setdefault(target, {}).setdefault(name, len(shared[target])) for name in names]
        )
        for target, names in own.items()
    }
    found = {}
    for (target, language), one in sets.items():
        clusters = into[target][one.clusters]
        order = np.argsort(clusters)
        found[target, language] = replace(one, clusters=clusters[order], effects=one.effects[order])
    return found


def read_sets(folder: Path, split: str, numbers: Numbers, *, proven: bool = False) -> Sets:
    """Stored predictions as effects, by target and language.

    Args:
        folder: of the predictions of a run.
        split: of the sets wanted.
        numbers: of the clusters by target, shared by what is compared; new ones are added.
        proven: whether the files have been held against their digests.
    """
    table = records.read("predictions", [folder], _COLUMNS, proven=proven)
    groups: dict[tuple[str, str], list[int]] = {}
    places = zip(*(table[name].to_pylist() for name in ("target", "language", "split")), strict=True)
    for number, (target, language, found) in enumerate(places):
        if found == split:
            groups.setdefault((target, language), []).append(number)
    sets = {
        (target, language): effects_of(
            target, language, _rows(table, rows).to_pydict(), numbers.setdefault(target, {})
        )
        for (target, language), rows in groups.items()
    }
    return {place: effects for place, effects in sets.items() if effects is not None}


def _rows(table: Any, rows: Sequence[int]) -> Any:
    """Rows of a table; those of a set mostly stand together."""
    together = rows[-1] - rows[0] == len(rows) - 1
    return table.slice(rows[0], len(rows)) if together else table.take(rows)


def effects_of(
    target: str, language: str, columns: Mapping[str, Sequence[Any]], numbers: dict[str, int]
) -> SetEffects | None:
    """What the clusters of one set add to its score; None where items are not independent."""
    metric = metrics.load(tasks.load(target).metric)
    if metric.contributions is None:
        return None
    counts = metric.contributions(columns, language)
    ids = [
        numbers.setdefault(str(cluster or example), len(numbers))
        for cluster, example in zip(columns["cluster_id"], columns["example_id"], strict=True)
    ]
    clusters, places = np.unique(np.asarray(ids, np.int64), return_inverse=True)
    if metric.resampled == "f1":
        right, predicted, gold = counts.sum(axis=0)
        score = 2 * right / (predicted + gold) if predicted + gold else 0.0
        effects = inference.f1_effects(counts, places, len(clusters))
    else:
        score = counts[:, 0].mean()
        effects = inference.mean_effects(counts[:, 0], places, len(clusters))
    answered = zip(columns["example_id"], columns["gold"], strict=True)
    examples = sorted({str(name) for name, gold in answered if gold is not None})
    digest = sha256("\0".join(examples).encode()).hexdigest()
    return SetEffects(
        examples=digest,
        count=len(examples),
        clusters=clusters,
        effects=100 * effects,
        score=100 * float(score),
    )


def same_items(first: SetEffects, second: SetEffects) -> bool:
    """Whether two systems answered the same examples."""
    return first.examples == second.examples


def on_mean(
    by_seed: Sequence[tuple[Sequence[SetEffects], Sequence[SetEffects]]], num_targets: int
) -> ItemEffects:
    """Effects on the difference of two systems in the mean over a target's languages.

    Args:
        by_seed: the sets of both systems, by language.
        num_targets: targets in whose mean this one is.
    """
    sets = [one for pair in by_seed for side in pair for one in side]
    clusters = np.unique(np.concatenate([one.clusters for one in sets]))
    effects = np.zeros((len(by_seed), len(clusters)))
    for row, pair in zip(effects, by_seed, strict=True):
        for sign, side in zip((1, -1), pair, strict=True):
            for one in side:
                row[np.searchsorted(clusters, one.clusters)] += sign * one.effects / len(side)
    first = by_seed[0][0]
    steps = [100 / one.count / len(first) for one in first]
    return ItemEffects(effects=effects / num_targets, step=math.hypot(*steps) / num_targets)
