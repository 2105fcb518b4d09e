"""A score of a target, in one language or over several."""

from collections.abc import Sequence
from dataclasses import dataclass

from stilts.tasks import Task


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """A target's main metric, in one language or as the mean over several."""

    value: float
    count: int
    """Examples scored; the smallest over the languages of a mean."""
    largest: int
    """The largest over the languages of a mean."""
    full: int
    """Examples there are where `count` were scored."""
    runs: tuple[str, ...]


def main_metric(task: Task, values: dict[str, float]) -> float | None:
    """A task's score: the mean of what counts of its metric; None when a part is missing."""
    counted = task.counted
    if any(name not in values for name in counted):
        return None
    return sum(values[name] for name in counted) / len(counted)


def mean_of(scores: Sequence[Score | None]) -> Score | None:
    """Unweighted mean, or None when one is missing or there is none."""
    known = [score for score in scores if score is not None]
    if not known or len(known) < len(scores):
        return None
    smallest = min(score.count for score in known)
    return Score(
        value=sum(score.value for score in known) / len(known),
        count=smallest,
        largest=max(score.largest for score in known),
        # Languages whose sets differ in size are no limit: only a cell scored in part is.
        full=max((score.full for score in known if score.count < score.full), default=smallest),
        runs=tuple(dict.fromkeys(run for score in known for run in score.runs)),
    )
