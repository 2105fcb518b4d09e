"""Parts of a tokenised set that are drawn at random, and the same for every run, study and seed."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stilts.data.tokens import Encoded
from stilts.run.seeds import seed_of
from stilts.tasks.coding.ragged import Ragged


def subset(encoded: Encoded, count: int | None) -> Encoded:
    """So many of its examples with their items, in their order; all for None, or where there are fewer.

    The head of a file would be one article of SQuAD, or one part of a set that was put together.
    """
    total = len(encoded.examples)
    if count is None or count >= total:
        return encoded
    random = np.random.default_rng(seed_of(encoded.task, encoded.language, encoded.split, "subset"))
    chosen = np.sort(random.choice(total, count, replace=False))
    return _part(encoded, chosen)


def held_out(encoded: Encoded, share: float) -> tuple[Encoded, Encoded]:
    """A training set cut in two, for a task whose only other set is the one that is reported.

    Args:
        encoded: the training set.
        share: of its passages, or of its examples where they have none, that become a development set.

    Returns:
        What is left to train on, and the development set; no passage is in both.
    """
    examples = encoded.examples
    owners = list(examples["cluster" if "cluster" in examples.column_names else "id"])
    drawn = sorted(set(owners), key=lambda name: seed_of(encoded.task, encoded.language, "held out", name))
    held = set(drawn[: max(1, round(share * len(drawn)))])
    is_held = np.asarray([owner in held for owner in owners])
    dev = replace(_part(encoded, np.flatnonzero(is_held)), split="dev", num_full=int(is_held.sum()))
    return _part(encoded, np.flatnonzero(~is_held)), dev


def _part(encoded: Encoded, chosen: NDArray[np.int64]) -> Encoded:
    """The examples of these numbers, in order, with all their items."""
    rows = np.flatnonzero(np.isin(np.asarray(encoded.columns["example"]), chosen))
    columns = {
        name: column.take(rows) if isinstance(column, Ragged) else np.asarray(column)[rows]
        for name, column in encoded.columns.items()
    }
    columns["example"] = np.searchsorted(chosen, np.asarray(columns["example"])).astype(np.int32)
    return replace(
        encoded,
        examples=encoded.examples.select(chosen),
        features=encoded.features.select(rows),
        columns=columns,
    )
