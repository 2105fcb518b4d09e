"""A random part of a tokenised set: the same part for every run, study and seed."""

from dataclasses import replace

import numpy as np

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
