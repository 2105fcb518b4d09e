"""The neighbours of both sides against sorting every similarity, block and tile edges included."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from stilts.evaluate.retrieval import nearest, neighbours
from stilts.evaluate.retrieval.neighbours import by_faiss, one_pass, silent


def sorted_neighbours(similarities, k):
    """Rows by falling similarity, of equals the first."""
    order = np.argsort(-similarities, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(similarities, order, 1)


def check(x, y, k) -> None:
    similarities = x @ y.T
    for found, table in zip(one_pass(x, y, k, silent), (similarities, similarities.T), strict=True):
        rows, cosines = sorted_neighbours(table, k)
        assert found.rows.tolist() == rows.tolist()
        assert found.cosines.tolist() == cosines.tolist()


@pytest.fixture
def small_blocks(monkeypatch) -> None:
    monkeypatch.setattr(neighbours, "_BLOCK", 16)
    monkeypatch.setattr(neighbours, "_TILE", 4)


@settings(max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.integers(1, 70), st.integers(1, 70), st.integers(1, 6), st.integers(1, 9))
def test_equals_sorting_everything(small_blocks, seed, n, m, k, spread) -> None:
    # Whole numbers: products are exact, and many are equal.
    random = np.random.default_rng(seed)
    x, y = (random.integers(-spread, spread + 1, (size, 3)).astype(np.float32) for size in (n, m))
    check(x, y, min(k, n, m))


@pytest.mark.parametrize(("n", "m"), [(4096, 64), (4100, 4200), (1, 9000), (9000, 3)])
def test_equals_sorting_everything_in_blocks_of_full_size(n, m) -> None:
    random = np.random.default_rng(n)
    x, y = (random.integers(-9, 10, (size, 6)).astype(np.float32) for size in (n, m))
    check(x, y, min(4, n, m))


@pytest.mark.parametrize("order", ["rising", "falling"])
def test_similarities_in_order_are_the_hardest_and_still_exact(small_blocks, order) -> None:
    ramp = np.arange(1, 101, dtype=np.float32)[:, None]
    check(np.ones((50, 1), np.float32), ramp if order == "rising" else ramp[::-1].copy(), 4)


def test_faiss_finds_the_same() -> None:
    pytest.importorskip("faiss")
    random = np.random.default_rng(0)
    x, y = (random.normal(size=(size, 16)).astype(np.float32) for size in (300, 5000))
    for ours, theirs in zip(one_pass(x, y, 4, silent), by_faiss(x, y, 4, silent), strict=True):
        assert ours.rows.tolist() == theirs.rows.tolist()
        np.testing.assert_allclose(ours.cosines, theirs.cosines, rtol=1e-5, atol=1e-5)


@settings(max_examples=1000)
@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 12))
def test_nearest_is_the_first_of_the_most_similar(seed, n, m) -> None:
    random = np.random.default_rng(seed)
    x, y = (random.integers(-3, 4, (size, 3)).astype(np.float32) for size in (n, m))
    best = [max(range(m), key=lambda row: ((query * y[row]).sum(), -row)) for query in x]
    assert nearest(x, y).tolist() == best
