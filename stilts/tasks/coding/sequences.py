"""Sequences of one text or two, framed by special tokens and cut to length."""

import numpy as np
from numpy.typing import NDArray

from stilts.tasks.coding.pieces import Specials
from stilts.tasks.coding.ragged import Integers, Ragged, interleave


def pair(first: Ragged, second: Ragged, marks: Specials) -> Ragged:
    """`<s> first </s></s> second </s>`, or what the tokenizer has instead; both sides already fit."""
    parts = (marks.start, first, marks.between, second, marks.end)
    return interleave(
        [part if isinstance(part, Ragged) else Ragged.repeated(part, len(first)) for part in parts]
    )


def single(text: Ragged, marks: Specials) -> Ragged:
    """`<s> text </s>`, or what the tokenizer has instead."""
    count = len(text)
    return interleave([Ragged.repeated(marks.start, count), text, Ragged.repeated(marks.end, count)])


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
