"""Rows of different lengths as one flat array and its offsets: all of it in numpy, no loop over tokens."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int32] | NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ragged:
    """Row i is `values[offsets[i]:offsets[i + 1]]`."""

    values: NDArray[np.int32]
    offsets: Integers

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> "Ragged":
        """From a list of lists."""
        offsets = bounds([len(row) for row in rows])
        return cls(np.fromiter(chain.from_iterable(rows), np.int32, int(offsets[-1])), offsets)

    @classmethod
    def singles(cls, values: Sequence[int] | Integers) -> "Ragged":
        """One value a row."""
        flat = np.asarray(values, np.int32)
        return cls(flat, np.arange(len(flat) + 1))

    @classmethod
    def repeated(cls, row: Sequence[int], count: int) -> "Ragged":
        """The same row, `count` times."""
        return cls(np.tile(np.asarray(row, np.int32), count), np.arange(count + 1) * len(row))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Length of each row."""
        return np.diff(self.offsets).astype(np.int64, copy=False)

    def rows(self) -> list[NDArray[np.int32]]:
        """Each row as an array."""
        return np.split(self.values, self.offsets[1:-1]) if len(self) else []

    def take(self, rows: Integers) -> "Ragged":
        """The given rows, in the given order, with repeats if asked."""
        starts = self.offsets[:-1][rows]
        return self._cut(starts, self.offsets[1:][rows] - starts)

    def slice(self, starts: Integers | int, lengths: Integers, rows: Integers | None = None) -> "Ragged":
        """A part of each row (or of each of `rows`), from `starts` within it on."""
        firsts = self.offsets[:-1] if rows is None else self.offsets[:-1][rows]
        return self._cut(firsts + starts, lengths)

    def head(self, lengths: Integers) -> "Ragged":
        """The first `lengths` values of each row."""
        return self.slice(0, lengths)

    def tail(self, lengths: Integers) -> "Ragged":
        """The last `lengths` values of each row."""
        return self.slice(self.lengths - lengths, lengths)

    def _cut(self, starts: Integers, lengths: Integers) -> "Ragged":
        offsets = bounds(lengths)
        return Ragged(self.values[spread(starts, offsets)], offsets)


def bounds(lengths: Sequence[int] | Integers) -> NDArray[np.int64]:
    """Offsets of rows of the given lengths."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def spread(starts: Integers, offsets: Integers) -> NDArray[np.int64]:
    """Positions `starts[i], starts[i] + 1, ...` for each row of `offsets`, end to end."""
    index = np.arange(offsets[-1], dtype=np.int64)
    index += np.repeat(starts - offsets[:-1], np.diff(offsets))
    return index


def interleave(parts: Sequence[Ragged]) -> Ragged:
    """Row i of the result is row i of every part, one after the other."""
    lengths = np.stack([part.lengths for part in parts], axis=1)  # [rows, parts]
    ends = bounds(lengths.ravel())
    starts = ends[:-1].reshape(lengths.shape)
    values = np.empty(ends[-1], np.int32)
    for number, part in enumerate(parts):
        values[spread(starts[:, number], part.offsets)] = part.values
    return Ragged(values, np.append(starts[:, 0], ends[-1]))


def concatenate(parts: Iterable[Ragged]) -> Ragged:
    """The rows of all parts, part after part."""
    all_parts = list(parts)
    lengths = [part.lengths for part in all_parts]
    return Ragged(np.concatenate([part.values for part in all_parts]), bounds(np.concatenate(lengths)))


def sums(values: Integers, offsets: Integers) -> NDArray[np.int64]:
    """Sum of the values of each row; 0 for an empty one."""
    total = bounds(values)
    return total[offsets[1:]] - total[offsets[:-1]]


def padded(values: NDArray[np.float32], lengths: Integers, *, fill: float) -> NDArray[np.float32]:
    """Rows end to end [total, ...] as one array [rows, longest, ...] with `fill` behind the short ones."""
    widest = int(np.max(lengths, initial=0))
    table = np.full((len(lengths), widest, *values.shape[1:]), fill, np.float32)
    table[np.arange(widest)[None, :] < np.asarray(lengths, np.int64)[:, None]] = values
    return table
