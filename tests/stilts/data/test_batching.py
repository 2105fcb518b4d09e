from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st

from stilts.data import batches

sizes = st.lists(st.integers(1, 50), max_size=60).map(lambda values: np.asarray(values, np.int32))


@given(sizes, st.integers(1, 100), st.booleans())
def test_every_row_comes_once_and_budgets_hold(num_tokens: np.ndarray, budget: int, shuffle: bool) -> None:
    cut = batches(num_tokens, tokens_per_batch=budget, seed=1, epoch=0, shuffle=shuffle)
    assert sorted(row for rows in cut for row in rows) == list(range(len(num_tokens)))
    for rows in cut:
        assert len(rows) == 1 or num_tokens[rows].sum() <= budget


@given(sizes, st.integers(10, 100))
def test_a_batch_is_closed_only_when_the_next_row_would_not_fit(num_tokens: np.ndarray, budget: int) -> None:
    cut = batches(num_tokens, tokens_per_batch=budget, seed=1, epoch=0, shuffle=False)
    for rows, following in pairwise(cut):
        assert num_tokens[rows].sum() + num_tokens[following[0]] > budget


def test_evaluation_takes_the_longest_first() -> None:
    cut = batches(np.asarray([3, 9, 3, 7]), tokens_per_batch=10, seed=0, epoch=0, shuffle=False)
    assert [rows.tolist() for rows in cut] == [[1], [3, 0], [2]]


def order(seed: int, epoch: int) -> list[list[int]]:
    num_tokens = np.random.default_rng(0).integers(5, 60, 2000)
    cut = batches(num_tokens, tokens_per_batch=500, seed=seed, epoch=epoch, shuffle=True)
    return [rows.tolist() for rows in cut]


def test_training_order_follows_seed_and_epoch_alone() -> None:
    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)
    together = [{frozenset(rows) for rows in order(1, epoch)} for epoch in (0, 1)]
    assert not together[0] & together[1]


def test_training_batches_hold_rows_of_like_length_in_no_order_of_length() -> None:
    num_tokens = np.random.default_rng(0).integers(5, 60, 2000)
    cut = batches(num_tokens, tokens_per_batch=500, seed=1, epoch=0, shuffle=True)
    spread = np.mean([num_tokens[rows].max() - num_tokens[rows].min() for rows in cut])
    assert spread < 10
    means = [num_tokens[rows].mean() for rows in cut]
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.3


def test_nothing_gives_no_batches() -> None:
    for shuffle in (False, True):
        assert batches(np.zeros(0, np.int32), tokens_per_batch=9, seed=0, epoch=0, shuffle=shuffle) == []


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_million_rows_are_all_there(shuffle: bool) -> None:
    num_tokens = np.random.default_rng(0).integers(5, 200, 1_000_000)
    cut = batches(num_tokens, tokens_per_batch=4096, seed=0, epoch=0, shuffle=shuffle)
    assert np.array_equal(np.sort(np.concatenate(cut)), np.arange(1_000_000))
