"""Sequences of an XLM-R model: `<s> A </s></s> B </s>`, cut to length."""

import numpy as np
from numpy.typing import NDArray

from stilts.tasks.types.pieces import Specials
from stilts.tasks.types.ragged import Integers, Ragged, interleave

SPECIAL_OF_PAIR = 4
SPECIAL_OF_SINGLE = 2


def pair(first: Ragged, second: Ragged, marks: Specials) -> Ragged:
    """`<s> first </s></s> second </s>`; both sides already fit."""
    count = len(first)
    start, end = Ragged.repeated([marks.start], count), Ragged.repeated([marks.end], count)
    return interleave([start, first, end, end, second, end])


def single(text: Ragged, marks: Specials) -> Ragged:
    """`<s> text </s>`."""
    count = len(text)
    return interleave([Ragged.repeated([marks.start], count), text, Ragged.repeated([marks.end], count)])


def longest_first(
    first: Integers, second: Integers, room: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lengths that are left when the longer side loses tokens until both fit into `room`.

    A side shorter than half of the room stays whole; else both get half, an odd token goes to the longer one
    and to the second when they are equal, as in the `tokenizers` library.
    """
    first, second = np.asarray(first, np.int64), np.asarray(second, np.int64)
    half, short = room // 2, np.minimum(first, second)
    kept_short = np.minimum(short, half)
    kept_long = np.minimum(np.maximum(first, second), room - kept_short)
    is_longer = first > second
    return np.where(is_longer, kept_long, kept_short), np.where(is_longer, kept_short, kept_long)


def columns(
    sequences: Ragged, *, per_item: Integers | None = None, example: Integers | None = None
) -> dict[str, Ragged | NDArray[np.int32]]:
    """The columns all kinds have.

    Args:
        sequences: all sequences of all items.
        per_item: number of sequences by item; one each when absent.
        example: example of each item; item i belongs to example i when absent.
    """
    lengths = sequences.lengths.astype(np.int32)
    count = len(sequences) if per_item is None else len(per_item)
    groups = np.arange(count + 1) if per_item is None else np.append(0, np.cumsum(per_item))
    input_ids = Ragged(sequences.values, sequences.offsets[groups])
    return {
        "input_ids": input_ids,
        "lengths": Ragged(lengths, groups),
        "num_tokens": input_ids.lengths.astype(np.int32),
        "example": np.arange(count, dtype=np.int32) if example is None else np.asarray(example, np.int32),
    }
