"""Metrics, one file each: scores of predictions against examples, 0 to 100. No torch, nothing fetched.

`load(name)` gives the `METRIC` of a file here. It owns all that depends on a metric: the scores, which of
them count, what a test item contributes when items are drawn again, and the file of an XTREME submission.
Files that begin with an underscore hold what several metrics share.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hpc.errors import unknown_name
from hpc.files import listing

Floats = NDArray[np.float64]
Stored = Mapping[str, Sequence[Any]]
"""Stored predictions by column: `gold`, `pred` and `score`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scored:
    """What a metric finds in one language."""

    values: Mapping[str, float]
    """Points by what the metric reports, 0 to 100."""
    by_example: NDArray[np.float32]
    """The last of `values` by example, 0 to 1: F1 of an answer, share of right tags, right or not."""
    missing: int = 0
    """Examples without a prediction; each counts as wrong."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Predictions:
    """What a metric looks at: predictions beside their examples."""

    examples: Any
    """By column, in the schema of the task's type: a `datasets.Dataset`, or a dict of lists."""
    values: Sequence[Any]
    """In the order of the examples; None is a missing one."""
    confidences: Sequence[float] | NDArray[np.float32] | None
    language: str

    def column(self, name: str) -> list[Any]:
        """A column of the examples, as long as the predictions.

        Raises:
            ValueError: it is empty, or there are more or fewer predictions.
        """
        column = list(self.examples[name])
        if not column:
            raise ValueError("there are no examples to score")
        if len(column) != len(self.values):
            raise ValueError(
                f"{len(self.values)} predictions for {len(column)} examples; the missing ones are None"
            )
        return column

    @property
    def missing(self) -> int:
        """Number of missing predictions."""
        return sum(value is None for value in self.values)


@dataclass(frozen=True, kw_only=True, slots=True)
class Submitted:
    """What the file of a submission is written from; without predictions, what it is read for."""

    predictions: Predictions
    labels: Sequence[str]
    """Names by index, as a submission has them."""
    name: str
    """Of the set, for messages."""

    def answered(self, values: Sequence[Any]) -> "Submitted":
        """The same with other predictions."""
        return replace(self, predictions=replace(self.predictions, values=values))


def scores_of(stored: Stored, language: str) -> Floats:  # noqa: ARG001
    """What an item contributes when items are drawn again, [items, 1]: its score."""
    return np.asarray(stored["score"], dtype=float)[:, None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """A metric."""

    score: Callable[[Predictions], Scored]
    reports: tuple[str, ...]
    """Names of the values it gives; others beside them never count."""
    counted: tuple[str, ...]
    """Those whose mean is the score of a task."""
    contributions: Callable[[Stored, str], Floats] | None = scores_of
    """Stored predictions and language to [items, columns]; None where items are not independent."""
    resampled: Literal["mean", "f1"] = "mean"
    """What contributions add up to: a mean of one column, or F1 of items right, predicted and gold."""
    submission: Callable[[Submitted], str] | None = None
    """Text of the file of an XTREME submission."""
    submitted: Callable[[str, Submitted], list[Any]] | None = None
    """The predictions that such a text holds, given the examples; raises ValueError with the line."""
    suffix: str = "tsv"
    """Of that file."""
    allows: tuple[str, ...] = ()
    """Flaws of examples that belong to the task: some have them, and not all."""
    mines: bool = False
    """Whether pairs are looked for in a pool, above a threshold that the development set gives."""


def names() -> list[str]:
    """All metrics, by their file names."""
    return [path.stem for path in listing(Path(__file__).parent, "[!_]*.py")]


@cache
def load(name: str) -> Metric:
    """The metric of that name.

    Raises:
        UserError: there is no such metric; the nearest names are given.
    """
    if name not in names():
        raise unknown_name("metric", name, names())
    metric: Metric = importlib.import_module(f"{__name__}.{name}").METRIC
    return metric


def score(
    name: str,
    *,
    examples: Any,
    predictions: Sequence[Any],
    language: str,
    confidences: Sequence[float] | NDArray[np.float32] | None = None,
) -> Scored:
    """Scores predictions that stand in the order of the examples; None is a missing one.

    Args:
        name: of the metric.
        examples: by column, in the schema of the task's type.
        predictions: indexes (accuracy), lists of tags, texts, or pairs of rows (english, foreign).
        language: decides how MLQA normalises; no other metric looks at it.
        confidences: for SQuAD v2.0, each answer's lead over "no answer": with them the scores are the best
            that any threshold gives, a number about this very set; without, an empty text is "no answer".

    Raises:
        UserError: there is no such metric.
        ValueError: there are no examples, or more or fewer predictions than examples.
    """
    return load(name).score(
        Predictions(examples=examples, values=predictions, confidences=confidences, language=language)
    )


def lines(values: Sequence[Any]) -> str:
    """One value a line."""
    return "".join(f"{value}\n" for value in values)


def lines_of(text: str, count: int | None = None) -> list[str]:
    """The lines of a submission's file, `count` of them.

    Raises:
        ValueError: the last one is not ended, or there are more or fewer.
    """
    if text and not text.endswith("\n"):
        raise ValueError("cut short: the last line has no end")
    found = text.split("\n")[:-1]
    if count is not None and len(found) != count:
        raise ValueError(f"{len(found)} lines for {count} examples")
    return found
