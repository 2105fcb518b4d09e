"""Rows to batches of about so many tokens, and a batch's arrays out of the memory-mapped columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stilts.tasks import types as task_types
from stilts.tasks.coding.ragged import Integers, Ragged

if TYPE_CHECKING:
    from stilts.data.tokens import Encoded

Rows = NDArray[np.int64]

_BATCHES_A_POOL = 50
"""Batches that are cut out of one stretch sorted by length: few pads the lengths, many fixes the company."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Sequences end to end, and what a model should say about them."""

    input_ids: NDArray[np.int64]
    """Tokens of all sequences [T]."""
    lengths: NDArray[np.int32]
    """Tokens by sequence [S]; items have one each, but a choice question has one a choice."""
    targets: Mapping[str, NDArray[np.int64]]
    """By kind: classify `label` [items]; choice `label` and `counts`, sequences by item; tag `positions` [W],
    rows of `input_ids`, and `tags` [W]; span `start` and `end` within the item; retrieve none."""
    items: int
    """Number of rows the batch was made of."""


def batches(
    num_tokens: Integers, *, tokens_per_batch: int, seed: int | Sequence[int], epoch: int, shuffle: bool
) -> list[Rows]:
    """Rows by batch, every row once; an item that is longer than a batch gets one of its own.

    Args:
        num_tokens: tokens by row.
        tokens_per_batch: tokens a batch holds at most.
        seed: with the epoch decides the order.
        epoch: another one, another order and other company.
        shuffle: for training, rows of like length together in shuffled batches; else the longest come first,
            so that memory runs out at once or not at all.
    """
    sizes = np.asarray(num_tokens, np.int64)
    if not shuffle:
        return _cut(np.argsort(-sizes, kind="stable"), sizes, tokens_per_batch)
    random = np.random.default_rng([epoch, *np.atleast_1d(seed)])
    order = random.permutation(len(sizes))
    pool = (
        max(1, int(_BATCHES_A_POOL * tokens_per_batch / max(1.0, float(sizes.mean())))) if len(sizes) else 1
    )
    # Sorting by pool first and length second sorts all pools at once.
    order = order[np.lexsort((sizes[order], np.arange(len(order)) // pool))]
    cut = _cut(order, sizes, tokens_per_batch)
    return [cut[place] for place in random.permutation(len(cut))]


def _cut(order: Rows, sizes: NDArray[np.int64], tokens_per_batch: int) -> list[Rows]:
    """Cuts a sequence of rows where the next one would not fit."""
    total = np.cumsum(sizes[order])
    found, first = [], 0
    while first < len(order):
        before = total[first - 1] if first else 0
        last = int(np.searchsorted(total, before + tokens_per_batch, side="right"))
        last = max(last, first + 1)
        found.append(order[first:last])
        first = last
    return found


def collate(encoded: "Encoded", rows: Integers) -> Batch:
    """The batch of the given rows, copied out of the columns without a loop over rows or tokens."""
    rows = np.asarray(rows, np.int64)
    columns = encoded.columns
    input_ids, lengths = columns["input_ids"], columns["lengths"]
    assert isinstance(input_ids, Ragged)
    assert isinstance(lengths, Ragged)
    return Batch(
        input_ids=input_ids.take(rows).values.astype(np.int64),
        lengths=lengths.take(rows).values,
        targets=task_types.load(encoded.type).targets(columns, rows),
        items=len(rows),
    )
