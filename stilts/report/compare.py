"""Scores of rows in columns, and what may be said of the difference between two rows of a column."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from stilts.report import inference
from stilts.report.evidence import Evidence
from stilts.report.form import State
from stilts.report.inference import CORRECTIONS, Estimate
from stilts.report.items import ItemReader
from stilts.report.scored import Score, mean_of
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


Made = TypeVar("Made")


def _spread_lines(change: Estimate) -> list[str]:
    """The variances behind an interval, each apart."""
    spread, found = change.spread, []
    for name, part in (
        ("between seeds, of their mean", spread.replicates),
        ("of what all seeds have in common of the items", spread.items),
        ("of the items alone, and half a step of the score", spread.least),
    ):
        if part is not None:
            found.append(f"  variance {name}: {part.variance:.6g}, {part.freedom:.4g} degrees of freedom")
    if spread.is_known:
        found.append(f"  p-value before correction: {spread.p_value(change.value):.6g}")
    return found or ["  nothing is known of its spread"]


def items_of(evidence: Evidence, split: str) -> ItemReader:
    """The study's one reader of a split, which begins with the first that asks for it."""
    key = ("items", split)
    if key not in evidence.shared:
        evidence.shared[key] = ItemReader(evidence, split)
    found: ItemReader = evidence.shared[key]
    return found


@dataclass
class Comparer:
    """Measures and compares rows: over the seeds there are, and over the test items."""

    evidence: Evidence
    spec: Spec

    @property
    def items(self) -> ItemReader:
        """What test items add to scores; read once for all tables of a study."""
        return items_of(self.evidence, self.spec.split)

    def measure(self, row: str, column: Column) -> Measured | None:
        """The score of a row, or None when a language of a target is missing in every seed."""
        return self._once(
            "measure", (row, column.targets, column.languages), lambda: self._measured(row, column)
        )

    def _measured(self, row: str, column: Column) -> Measured | None:
        by_seed = {}
        for seed in self.evidence.seeds:
            score = mean_of([self._score(row, seed, target, column.languages) for target in column.targets])
            if score is not None:
                by_seed[seed] = score
        return Measured(by_seed=by_seed) if by_seed else None

    def change(self, row: str, other: str, column: Column) -> Estimate | None:
        """`row - other` with an interval and a p-value where there are any."""
        place = (row, other, self.spec.stats.level, column.targets, column.languages)
        return self._once("change", place, lambda: self._changed(row, other, column))

    def _once(self, what: str, place: tuple[object, ...], make: Callable[[], Made]) -> Made:
        """Worked out for one table, and known to all."""
        key = (what, self.spec.split, *place)
        if key not in self.evidence.shared:
            self.evidence.shared[key] = make()
        made: Made = self.evidence.shared[key]
        return made

    def _changed(self, row: str, other: str, column: Column) -> Estimate | None:
        first, second = self.measure(row, column), self.measure(other, column)
        if first is None or second is None:
            return None
        shared = [seed for seed in first.by_seed if seed in second.by_seed]
        if not shared:
            return None
        differences = [first.by_seed[seed].value - second.by_seed[seed].value for seed in shared]
        effects = self.items.of_change((row, other), shared, column.targets, column.languages)
        return inference.crossed(differences, effects, self.spec.stats.level)

    def changes(self, cells: Iterable[tuple[str, Column]]) -> dict[tuple[str, str], Estimate]:
        """Changes against the spec's row by row and column key, p-values adjusted over all of them."""
        found = {
            (row, column.key): self.change(row, self.spec.against, column)
            for row, column in cells
            if row != self.spec.against
        }
        known = {place: change for place, change in found.items() if change is not None}
        p_values = CORRECTIONS[self.spec.stats.correction]([change.p_value for change in known.values()])
        return {
            place: replace(change, p_value=p_value)
            for (place, change), p_value in zip(known.items(), p_values, strict=True)
        }

    def best(self, rows: Sequence[str], column: Column, num_columns: int) -> set[str]:
        """The best row of a column and those that cannot be told from it; none where no row can be told from
        it, or one was not compared.

        Args:
            rows: of the table.
            column: of the table.
            num_columns: columns in which a best row is looked for.
        """
        values = {row: measured.value for row in rows if (measured := self.measure(row, column)) is not None}
        if len(values) < 2:
            return set()
        sign = 1 if self.spec.direction == "higher" else -1
        top = max(values, key=lambda row: sign * values[row])
        behind = {row: self.change(top, row, column) for row in values if row != top}
        p_values = [change.p_value if change else math.nan for change in behind.values()]
        adjusted = inference.all_pairs([num_columns * p for p in p_values], len(values))
        told = {row for row, p in zip(behind, adjusted, strict=True) if p < 1 - self.spec.stats.level}
        if not told or any(map(math.isnan, p_values)):
            return set()
        return values.keys() - told

    def trace(self, row: str, column: Column, change: Estimate | None) -> Callable[[], list[str]]:
        """How a score came about, and its change where there is one."""

        def lines() -> list[str]:
            found = [f"score of {row} = mean over seeds of the mean over targets of the mean over languages"]
            found += self._values(row, column)
            if change is not None:
                against = self.spec.against
                found.append(f"change = mean over seeds of the score less that of {against}, by seed")
                found += self._values(against, column) + _spread_lines(change)
            return found

        return lines

    def _values(self, row: str, column: Column) -> list[str]:
        found, measured = [], self.measure(row, column)
        for seed, score in measured.by_seed.items() if measured else ():
            found.append(f"  {row}, seed {seed}: {score.value:.6f}")
            for target in column.targets:
                source = self.evidence.resolve(row, target)
                answer = self.evidence.answers.get((source, seed, target)) if source else None
                languages = column.languages or (answer.languages if answer else ())
                parts = [
                    (language, self.evidence.score(source, seed, target, self.spec.split, language))
                    for language in languages
                    if source
                ]
                shown = ", ".join(f"{language} {part.value:.6f}" for language, part in parts if part)
                where = f" in {answer.evaluation}" if answer else ""
                found.append(f"    {target}{where}: {shown}")
        return found

    def state(self, change: Estimate) -> State:
        """What may be said of a change whose p-value is adjusted."""
        if math.isnan(change.p_value):
            return "not tested"
        return "different" if change.p_value < 1 - self.spec.stats.level else "not different"

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
