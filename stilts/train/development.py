"""Evaluation on the English development sets while training: which weights are kept, and when to stop."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hpc import collective
from stilts.evaluate import predict
from stilts.model.multitask import Model
from stilts.run.provenance import code_version
from stilts.train.health import alike
from stilts.train.sets import TrainingSet


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluated:
    """The scores of one moment."""

    mean: float
    """Over tasks, of the mean over a task's metrics: what weights are chosen by. The same on all ranks."""
    rows: list[dict[str, Any]]
    """Of the records `scores`."""
    alike: dict[str, str]
    """Answer that a task got throughout though it is not always right, by task."""

    def by_task(self) -> dict[str, dict[str, float]]:
        """Values by task and metric."""
        found: dict[str, dict[str, float]] = {}
        for row in self.rows:
            found.setdefault(row["target"], {})[row["metric"]] = row["value"]
        return found


def evaluate(
    model: Model, sets: Mapping[str, TrainingSet], *, tokens_per_batch: int, between: Callable[[], None]
) -> Evaluated:
    """Scores the development sets, calling `between` after each; ranks share the work. Collective."""
    model.eval()
    rows, means, same = [], [], {}
    for name, one in sets.items():
        answered = predict.answer(model, name, one.task, one.dev, tokens_per_batch=tokens_per_batch)
        between()
        means.append(np.mean(list(answered.scored.values.values())))
        answer = alike(answered.predictions)
        if answer is not None and float(answered.scored.by_example.min()) < 1.0:
            same[name] = answer
        for metric, value in answered.scored.values.items():
            rows.append(
                {
                    "target": name,
                    "language": "en",
                    "split": "dev",
                    "metric": metric,
                    "value": float(value),
                    "n": len(one.dev.examples),
                    "n_full": one.dev.num_full,
                    "data": one.dev.version,
                    "code": code_version(),
                }
            )
    # Rank 0 decides: ranks that round differently would part ways at what follows.
    return Evaluated(mean=collective.of_first(float(np.mean(means))), rows=rows, alike=same)
