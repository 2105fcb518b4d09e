"""What a study has measured so far, joined with what it planned: who answers which target, and with what
score.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from hpc.errors import Unreadable
from hpc.files import is_there
from stilts import tasks
from stilts.data.staleness import stale_runs
from stilts.report.scored import Score, main_metric, mean_of
from stilts.run import records
from stilts.run.folder import RunFolder
from stilts.run.specs import EvaluateSpec, RunSpec
from stilts.study import grid, regimes
from stilts.study.config import Study
from stilts.study.regimes import row_key
from stilts.tasks import Task, metrics

Rows = dict[str, list[dict[str, Any]]]
"""Records by the run that wrote them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """Who answers a target in one row of the tables, for one seed."""

    evaluation: str
    weights: str
    note: str
    languages: tuple[str, ...]


@dataclass
class Evidence:
    """The records of a study, read once each and only when asked for."""

    study: Study
    folder: Path
    """`runs/<study>`."""
    answers: dict[tuple[str, int, str], Answer] = field(init=False, default_factory=dict)
    """By row (`direct`, `single/mnli` ...), seed and target."""
    plan: dict[str, RunSpec] = field(init=False)
    shared: dict[tuple[object, ...], Any] = field(init=False, default_factory=dict)
    """What one builder worked out and another needs too."""

    def __post_init__(self) -> None:
        self.plan = {run.id: run for run in grid.expand(self.study, "all")}
        for run in self.plan.values():
            asked = run.asked
            if not isinstance(asked, EvaluateSpec):
                continue
            row = row_key(asked.regime, asked.intermediate)
            for name, target in asked.targets.items():
                self.answers[row, asked.seed, name] = Answer(
                    evaluation=run.id, weights=run.needs[0], note=target.note, languages=target.languages
                )

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the study."""
        return self.study.seeds

    def rows(self, wanted: Sequence[str]) -> list[str]:
        """Row keys of the wanted regimes that the study has, each phase of a regime with several a row."""
        return regimes.rows(self.study, wanted)

    @cached_property
    def targets(self) -> list[Task]:
        """The study's targets in its order."""
        return [tasks.load(name) for name in self.study.targets]

    @cached_property
    def trained_targets(self) -> list[Task]:
        """Targets that are fine-tuned; the others are retrieval with the encoder as it is."""
        return [task for task in self.targets if task.train_task]

    def folders(self, kind: str) -> list[Path]:
        """Where shards of a kind may lie: in every run of the plan that is whole."""
        places = [RunFolder(self.folder / run_id) for run_id in self.plan if run_id not in self.damaged]
        return [place.predictions if kind == "predictions" else place.records / kind for place in places]

    def read(self, kind: str, columns: Sequence[str] | None = None) -> Rows:
        """Records of a kind by run; runs that are not in the plan are left out."""
        table = records.read(kind, self.folders(kind), columns)
        grouped: Rows = {}
        for row in table.to_pylist():
            if row["run_id"] in self.plan:
                grouped.setdefault(row["run_id"], []).append(row)
        return grouped

    @cached_property
    def damaged(self) -> dict[str, str]:
        """Runs that are not whole any more, or withheld by the system, and why: nothing of theirs is read."""

        def examined(run_id: str) -> str:
            run = RunFolder(self.folder / run_id)
            try:
                reason = run.damage(contents=("records", "predictions")) if is_there(run.done) else ""
                reason = reason or (f"{run.spec} is damaged" if run.state() == "damaged" else "")
            except Unreadable as error:
                return str(error)
            return f"{reason}; launch again" if reason else ""

        # Hashing leaves the interpreter to others.
        with ThreadPoolExecutor(records.THREADS) as pool:
            reasons = dict(zip(self.plan, pool.map(examined, self.plan), strict=True))
        return {run_id: reason for run_id, reason in reasons.items() if reason}

    def is_whole(self, run_id: str) -> bool:
        """Whether a run is done, and all that it wrote is there."""
        return run_id not in self.damaged and is_there(RunFolder(self.folder / run_id).done)

    def whole(self, stage: str | None = None) -> list[RunFolder]:
        """The folders of the plan's runs that are whole, of one stage or of all."""
        ids = (run.id for run in self.plan.values() if stage in (None, run.stage))
        return [RunFolder(self.folder / run_id) for run_id in ids if self.is_whole(run_id)]

    @cached_property
    def stale(self) -> dict[str, str]:
        """Runs whose data have changed since, and which."""
        there = ((spec, RunFolder(self.folder / run_id)) for run_id, spec in self.plan.items())
        return stale_runs(there)

    @cached_property
    def scores(self) -> Rows:
        """Score records by run."""
        return self.read("scores")

    @cached_property
    def _indexed(self) -> dict[tuple[str, str, str, str], list[dict[str, Any]]]:
        """Score records by run, target, split and language."""
        found: dict[tuple[str, str, str, str], list[dict[str, Any]]] = {}
        for run_id, rows in self.scores.items():
            for row in rows:
                place = (run_id, row["target"], row["split"], row["language"])
                found.setdefault(place, []).append(row)
        return found

    @cached_property
    def training(self) -> Rows:
        """Training records by run."""
        return self.read("training")

    def score(self, row: str, seed: int, target: str, split: str, language: str) -> Score | None:
        """The main metric of one cell, or None when it was not measured."""
        answer = self.answers.get((row, seed, target))
        if answer is None:
            return None
        return self.score_of_run(answer.evaluation, target, split, language)

    def score_of_run(
        self, run_id: str, target: str, split: str, language: str, *, regime: str = ""
    ) -> Score | None:
        """The main metric a run scored on a set; `regime` picks one of several methods in a baseline run."""
        found = self._indexed.get((run_id, target, split, language), [])
        if regime:
            found = [row for row in found if row["regime"] == regime]
        values = {row["metric"]: row["value"] for row in found}
        value = main_metric(tasks.load(target), values)
        if value is None:
            return None
        count, full = found[0]["n"], found[0]["n_full"]
        return Score(value=value, count=count, largest=count, full=full, runs=(run_id,))

    def mean_score(
        self, row: str, seed: int, target: str, split: str, *, skip: Sequence[str] = ()
    ) -> Score | None:
        """Mean over the languages planned for a target; None unless every one of them is there."""
        answer = self.answers.get((row, seed, target))
        if answer is None:
            return None
        task = tasks.load(target)
        languages = [
            language
            for language in answer.languages
            if language not in skip and not (split == "dev" and language in task.without_dev)
        ]
        found = [self.score(row, seed, target, split, language) for language in languages]
        return mean_of(found)

    def dev_score(self, row: str, seed: int, target: str) -> float | None:
        """What `best` is chosen by: English dev of the fine-tuning run, or BUCC's dev set for retrieval.

        Tatoeba has one set only, so choosing on it would be choosing on the test set.
        """
        answer = self.answers.get((row, seed, target))
        if answer is None:
            return None
        task = tasks.load(target)
        if task.train_task is None:
            return self._retrieval_dev(row, seed)
        for name in dict.fromkeys((target, task.train_task)):
            score = self.score_of_run(answer.weights, name, "dev", "en")
            if score is not None:
                return score.value
        return None

    def _retrieval_dev(self, row: str, seed: int) -> float | None:
        scores = [self.mean_score(row, seed, name, "dev") for name in self._mined]
        known = [score.value for score in scores if score is not None]
        return sum(known) / len(known) if known and len(known) == len(scores) else None

    @cached_property
    def _mined(self) -> list[str]:
        """Targets whose pairs are mined, with a dev set for the threshold."""
        return [task.name for task in self.targets if task.metric and metrics.load(task.metric).mines]

    def can_choose(self, target: str) -> bool:
        """Whether the study has a dev set to choose by: retrieval is chosen on that of a mining task."""
        return tasks.load(target).train_task is not None or bool(self._mined)

    @cached_property
    def best(self) -> dict[str, str]:
        """The single row chosen for each target."""
        return self.chosen("best")

    def chosen(self, regime: str) -> dict[str, str]:
        """The row that a regime takes of the one it is chosen from, by target.

        It is the best on dev by the mean over seeds, the first of equals.
        """
        candidates = regimes.find(regimes.find(regime).chosen_from).rows(self.study)
        chosen = {}
        for target in self.study.targets:
            means: dict[str, float] = {}
            for row in candidates:
                values = [self.dev_score(row, seed, target) for seed in self.seeds]
                known = [value for value in values if value is not None]
                if known and len(known) == len(values):
                    means[row] = sum(known) / len(known)
            if means and len(means) == len(candidates):
                # Rounded: sums of other seeds' scores that are equal may differ in the last digit.
                chosen[target] = max(means, key=lambda row: round(means[row], 9))
        return chosen

    def resolve(self, row: str, target: str) -> str | None:
        """The row whose answer counts: `best` stands for the single row chosen for the target."""
        return self.best.get(target) if row == "best" else row

    def started_from(self, run_ids: Iterable[str]) -> list[str]:
        """The weights that training runs started from."""
        return [self.plan[run_id].needs[0] for run_id in run_ids if self.plan[run_id].needs]

    def trained_before(self, run_ids: Iterable[str]) -> list[str]:
        """The training runs behind some weights, those weights included, in the order of the plan."""
        wanted: set[str] = set()
        waiting = list(run_ids)
        while waiting:
            run_id = waiting.pop()
            if run_id not in wanted:
                wanted.add(run_id)
                # What weights start from comes first; a run whose steps are matched is no part of them.
                waiting += self.plan[run_id].needs[:1]
        return [run.id for run in self.plan.values() if run.id in wanted and run.asked.is_training]

    @cached_property
    def changed_runs(self) -> list[str]:
        """Runs whose specification on disk is not the one the study asks for now."""
        changed = []
        for run in self.plan.values():
            folder = RunFolder(self.folder / run.id)
            if run.id in self.damaged or not is_there(folder.spec):
                continue
            if folder.read_spec().fingerprint != run.fingerprint:
                changed.append(run.id)
        return changed

    @cached_property
    def devices(self) -> list[str]:
        """Kinds of device the training records name."""
        return sorted({row["device_class"] for rows in self.training.values() for row in rows})
