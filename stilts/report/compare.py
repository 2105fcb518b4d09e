"""Scores of rows in columns, and what may be said of the difference between two rows of a column."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stilts.report import inference
from stilts.report.evidence import Evidence, Score, mean_of
from stilts.report.inference import Estimate, Floats
from stilts.report.items import ItemDraws
from stilts.report.spec import Spec


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """What a column averages: one target or several, over all their languages or in those named."""

    key: str
    header: str
    targets: tuple[str, ...]
    languages: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """A row's score in a column, seed by seed."""

    by_seed: dict[int, Score]

    @property
    def value(self) -> float:
        """Mean over the seeds there are."""
        return sum(score.value for score in self.by_seed.values()) / len(self.by_seed)

    @property
    def runs(self) -> tuple[str, ...]:
        """Runs that were scored."""
        return tuple(dict.fromkeys(run for score in self.by_seed.values() for run in score.runs))


@dataclass
class Comparer:
    """Measures and compares rows. Over seeds where there are several, over test items where there is one."""

    evidence: Evidence
    spec: Spec

    @cached_property
    def draws(self) -> ItemDraws:
        """Resampled test items, for a study with one seed."""
        key = ("draws", self.spec.split, self.spec.stats.resamples)
        if key not in self.evidence.shared:
            self.evidence.shared[key] = ItemDraws(self.evidence, self.spec.split, self.spec.stats.resamples)
        found: ItemDraws = self.evidence.shared[key]
        return found

    @property
    def by_items(self) -> bool:
        """Whether intervals come from test items for want of seeds."""
        return len(self.evidence.seeds) == 1

    def measure(self, row: str, column: Column) -> Measured | None:
        """The score of a row, or None when a language of a target is missing in every seed."""
        by_seed = {}
        for seed in self.evidence.seeds:
            score = mean_of([self._score(row, seed, target, column.languages) for target in column.targets])
            if score is not None:
                by_seed[seed] = score
        return Measured(by_seed=by_seed) if by_seed else None

    def change(self, row: str, other: str, column: Column) -> Estimate | None:
        """`row - other` with an interval and a p-value where there are any."""
        first, second = self.measure(row, column), self.measure(other, column)
        if first is None or second is None:
            return None
        shared = [seed for seed in first.by_seed if seed in second.by_seed]
        if not shared:
            return None
        differences = [first.by_seed[seed].value - second.by_seed[seed].value for seed in shared]
        if not self.by_items:
            return inference.t_estimate(differences, self.spec.stats.level)
        difference = differences[0]
        drawn, other_drawn = self._resampled(row, column), self._resampled(other, column)
        if drawn is None or other_drawn is None:
            return Estimate(value=difference)
        return inference.from_resamples(difference, drawn - other_drawn, self.spec.stats.level)

    def changes(self, rows: Sequence[str], column: Column) -> dict[str, Estimate]:
        """Changes of rows against the spec's own, p-values adjusted over the column."""
        found = {row: self.change(row, self.spec.against, column) for row in rows if row != self.spec.against}
        return self.adjusted({row: change for row, change in found.items() if change is not None})

    def adjusted(self, family: dict[str, Estimate]) -> dict[str, Estimate]:
        """The same estimates with p-values corrected as the spec says."""
        if self.spec.stats.correction == "none":
            return family
        p_values = inference.holm([change.p_value for change in family.values()])
        return {
            row: Estimate(value=change.value, low=change.low, high=change.high, p_value=p_value)
            for (row, change), p_value in zip(family.items(), p_values, strict=True)
        }

    def best(self, rows: Sequence[str], column: Column) -> set[str]:
        """The best row of a column and those that cannot be told from it."""
        values = {row: measured.value for row in rows if (measured := self.measure(row, column)) is not None}
        if len(values) < 2:
            return set()
        sign = 1 if self.spec.direction == "higher" else -1
        top = max(values, key=lambda row: sign * values[row])
        others = [row for row in values if row != top]
        behind = {row: self.change(top, row, column) for row in others}
        family = self.adjusted({row: change for row, change in behind.items() if change is not None})
        tied = {
            row for row, change in family.items() if not self.is_significant(change) and change.has_interval
        }
        equal = {row for row in others if math.isclose(values[row], values[top], abs_tol=1e-9)}
        return {top} | tied | equal

    def is_significant(self, change: Estimate) -> bool:
        """Whether the adjusted p-value lies below the level the spec asks for."""
        return change.p_value < 1 - self.spec.stats.level

    def _score(self, row: str, seed: int, target: str, languages: tuple[str, ...] | None) -> Score | None:
        source = self.evidence.resolve(row, target)
        if source is None:
            return None
        if languages is None:
            return self.evidence.mean_score(source, seed, target, self.spec.split)
        found = [
            self.evidence.score(source, seed, target, self.spec.split, language) for language in languages
        ]
        return mean_of(found)

    def _resampled(self, row: str, column: Column) -> Floats | None:
        found = [self.draws.score(row, target, column.languages) for target in column.targets]
        known = [resampled for resampled in found if resampled is not None]
        if not known or len(known) < len(found):
            return None
        mean: Floats = np.mean(known, axis=0)
        return mean
