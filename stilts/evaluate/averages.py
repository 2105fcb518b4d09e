"""Means as XTREME defines them: over languages, then metrics, then tasks; never over what is incomplete."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from stilts import tasks

GROUPS: Mapping[str, tuple[str, ...]] = {
    "classification": ("xnli", "pawsx"),
    "tagging": ("udpos", "panx"),
    "qa": ("xquad", "mlqa", "tydiqa"),
    "retrieval": ("bucc2018", "tatoeba"),
}
COUNTED: Mapping[str, tuple[str, ...]] = {
    name: tasks.load(name).counted for group in GROUPS.values() for name in group
}
"""Of each of the nine tasks, the values whose mean is its score."""

FINE_TUNED = tuple(task for name, group in GROUPS.items() if name != "retrieval" for task in group)

LanguageScores = Mapping[str, float]
"""Points by language."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """Means over languages and tasks; what lacks a part is None, and `missing` says which part."""

    tasks: Mapping[str, float | None]
    groups: Mapping[str, float | None]
    overall: float | None
    """Mean over all nine tasks."""
    fine_tuned: float | None
    """Mean over the seven tasks that are not retrieval, to be shown beside the overall one."""
    missing: tuple[str, ...]
    """Lines `task metric language`."""


def language_mean(values: LanguageScores, languages: Sequence[str]) -> float | None:
    """Unweighted mean over all the languages asked for, English included; None when one is missing."""
    if not languages or any(language not in values for language in languages):
        return None
    return fmean(values[language] for language in languages)


def task_score(
    values: Mapping[str, LanguageScores], *, metrics: Sequence[str], languages: Sequence[str]
) -> float | None:
    """Mean over metrics of the means over languages: (EM + F1) / 2 for questions."""
    return _mean([language_mean(values.get(metric, {}), languages) for metric in metrics])


def summarise(
    scores: Mapping[str, Mapping[str, LanguageScores]], *, languages: Mapping[str, Sequence[str]]
) -> Summary:
    """All means of one row of the main table.

    Args:
        scores: task, metric, language to points.
        languages: for each task, every language its mean has to cover.
    """
    tasks = {
        task: task_score(scores.get(task, {}), metrics=metrics, languages=languages.get(task, ()))
        for task, metrics in COUNTED.items()
    }
    missing = [
        f"{task} {metric} {language}"
        for task, metrics in COUNTED.items()
        for metric in metrics
        for language in languages.get(task, ("(no languages given)",))
        if language not in scores.get(task, {}).get(metric, {})
    ]
    return Summary(
        tasks=tasks,
        groups={name: _mean([tasks[task] for task in group]) for name, group in GROUPS.items()},
        overall=_mean(list(tasks.values())),
        fine_tuned=_mean([tasks[task] for task in FINE_TUNED]),
        missing=tuple(missing),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return fmean(present) if present and len(present) == len(values) else None
