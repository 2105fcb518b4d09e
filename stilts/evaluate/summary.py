"""What an evaluation says: a line a task and language, then the means, shown only where they are complete."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import fmean

from stilts import tasks
from stilts.evaluate.averages import COUNTED, GROUPS, summarise, task_score

Values = Mapping[str, float]
"""Points by metric."""


@dataclass
class ScoreSummary:
    """Collects scores and knows which of them are of a part of the data."""

    scores: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    """Task, metric, language to points."""
    short: dict[str, str] = field(default_factory=dict)
    """Tasks whose sets are not the benchmark's, and how the first of them differs."""

    def take(self, task: str, language: str, values: Values, *, shortfall: str) -> None:
        """Notes the scores of a cell, and what keeps its set from being the benchmark's."""
        for metric, value in values.items():
            self.scores.setdefault(task, {}).setdefault(metric, {})[language] = value
        if shortfall:
            self.short.setdefault(task, f"{language}: {shortfall}")

    def lines(self) -> Iterator[str]:
        """The means."""
        for name in self.scores:
            yield self._task_line(name)
        whole = summarise(self.scores, languages={name: tasks.load(name).languages for name in COUNTED})
        for group, members in GROUPS.items():
            score = whole.groups[group]
            if score is not None:
                yield f"{group}: {score:.2f}, the mean of {', '.join(members)}{self._mark(members)}"
        lacking = [name for name in COUNTED if whole.tasks[name] is None]
        if whole.overall is not None:
            name = "no XTREME average" if self.short else "XTREME average"
            yield f"{name}: {whole.overall:.2f}, the mean of nine tasks{self._mark(COUNTED)}"
        elif len(lacking) < len(COUNTED):
            yield f"no XTREME average: {', '.join(lacking)} incomplete"

    def _task_line(self, name: str) -> str:
        task, metrics = tasks.load(name), self.scores[name]
        counted = task.counted
        there = [code for code in task.languages if all(code in metrics.get(m, {}) for m in counted)]
        score = task_score(metrics, metrics=counted, languages=there)
        if score is None:
            return f"{name}: not scored"
        parts = ", ".join(
            f"{metric} {fmean(values[code] for code in there):.2f}" for metric, values in metrics.items()
        )
        languages = f"{len(there)} of {len(task.languages)} languages"
        partial = "" if len(there) == len(task.languages) else ": incomplete"
        how = "(em + f1) / 2" if counted == ("em", "f1") else counted[0]
        return f"{name}: {score:.2f} {how}, mean over {languages}{partial} ({parts}){self._mark((name,))}"

    def _mark(self, names: "tuple[str, ...] | Mapping[str, object]") -> str:
        found = next((f"{name} {self.short[name]}" for name in names if name in self.short), "")
        return f" NOT THE BENCHMARK'S DATA ({found})" * bool(found)


def cell_line(task: str, language: str, values: Values, *, count: int, num_full: int, limit: str) -> str:
    """The scores of a task in one language."""
    shown = "  ".join(f"{metric} {value:6.2f}" for metric, value in values.items())
    part = f" of {num_full}" if num_full > count else ""
    mark = f" LIMITED to {limit}" if limit else ""
    return f"{task:<14} {language:<3} {shown}  n {count}{part}{mark}"
