from itertools import pairwise

import numpy as np
from hypothesis import given, strategies as st

from stilts.tasks.coding.ragged import Ragged, bounds, concatenate, interleave, padded, sums

rows = st.lists(st.lists(st.integers(0, 99), max_size=5), max_size=6)


def as_lists(ragged: Ragged) -> list[list[int]]:
    edges = ragged.offsets.tolist()
    return [ragged.values[a:b].tolist() for a, b in pairwise(edges)]


@given(rows)
def test_rows_come_back(lists: list[list[int]]) -> None:
    assert as_lists(Ragged.of(lists)) == lists
    assert [row.tolist() for row in Ragged.of(lists).rows()] == lists


@given(rows.filter(bool), st.data())
def test_take_is_indexing(lists: list[list[int]], data: st.DataObject) -> None:
    index = data.draw(st.lists(st.integers(0, len(lists) - 1), max_size=8))
    taken = Ragged.of(lists).take(np.asarray(index, np.int64))
    assert as_lists(taken) == [lists[i] for i in index]


@given(rows, st.integers(0, 6))
def test_head_and_tail_are_slices(lists: list[list[int]], count: int) -> None:
    ragged = Ragged.of(lists)
    kept = np.minimum(ragged.lengths, count)
    assert as_lists(ragged.head(kept)) == [row[:count] for row in lists]
    assert as_lists(ragged.tail(kept)) == [row[len(row) - min(len(row), count) :] for row in lists]


@given(st.lists(st.tuples(*[st.lists(st.integers(0, 9), max_size=3)] * 3), max_size=5))
def test_interleave_joins_row_by_row(triples: list[tuple[list[int], ...]]) -> None:
    parts = [Ragged.of([triple[n] for triple in triples]) for n in range(3)]
    assert as_lists(interleave(parts)) == [a + b + c for a, b, c in triples]


@given(rows, rows)
def test_concatenate_joins_part_by_part(one: list[list[int]], two: list[list[int]]) -> None:
    assert as_lists(concatenate([Ragged.of(one), Ragged.of(two)])) == one + two


@given(rows)
def test_sums_are_sums(lists: list[list[int]]) -> None:
    ragged = Ragged.of(lists)
    assert sums(ragged.values, ragged.offsets).tolist() == [sum(row) for row in lists]


def test_padded_fills_behind_short_rows() -> None:
    values = np.arange(6, dtype=np.float32).reshape(3, 2)
    table = padded(values, np.asarray([1, 0, 2]), fill=-1)
    assert table.tolist() == [[[0, 1], [-1, -1]], [[-1, -1], [-1, -1]], [[2, 3], [4, 5]]]


def test_constant_rows() -> None:
    assert as_lists(Ragged.repeated([5, 6], 3)) == [[5, 6]] * 3
    assert as_lists(Ragged.repeated([], 2)) == [[], []]
    assert as_lists(Ragged.singles([4, 2])) == [[4], [2]]
    assert bounds([]).tolist() == [0]
