"""Mining against brute force, and the threshold against all others."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings, strategies as st

from hpc.errors import UserError
from stilts.evaluate.retrieval import best_threshold, mine

GAP = 3e-6
"""Scores nearer than this may change places between float32 and float64."""


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def apart(values) -> bool:
    """Whether no two are so near that rounding decides which is larger."""
    return bool((np.diff(np.sort(values, axis=None)) > GAP).all())


def brute_force(x, y, k):
    """Ratio margin and greedy matching, straight from the definition, and all numbers it compares."""
    cosine = x.astype(np.float64) @ y.T.astype(np.float64)
    x_mean = np.sort(cosine, 1)[:, -k:].mean(1)
    y_mean = np.sort(cosine, 0)[-k:].mean(0)
    margin = cosine / ((x_mean[:, None] + y_mean) / 2)
    proposals = {}
    for i in range(len(x)):
        j = max(np.argsort(-cosine[i])[:k], key=lambda j: margin[i, j])
        proposals[i, int(j)] = margin[i, j]
    for j in range(len(y)):
        i = max(np.argsort(-cosine[:, j])[:k], key=lambda i: margin[i, j])
        proposals[int(i), j] = margin[i, j]
    kept = []
    for i, j in sorted(proposals, key=proposals.get, reverse=True):
        if proposals[i, j] > 0 and all(i != a and j != b for a, b in kept):
            kept.append((i, j))
    return kept, cosine, margin


@settings(max_examples=1000, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.integers(0, 2**32), st.integers(1, 16), st.integers(1, 16), st.integers(1, 5))
def test_mining_equals_brute_force(seed, n, m, neighbours):
    random = np.random.default_rng(seed)
    x, y = unit(random.normal(0.4, 1, (n, 12))), unit(random.normal(0.4, 1, (m, 12)))
    planted = min(n, m) // 2
    y[:planted] = unit(x[:planted] + 0.3 * random.normal(size=(planted, 12)))
    expected, cosine, margin = brute_force(x, y, min(neighbours, n, m))
    assume(apart(cosine) and apart(margin) and np.abs(margin).min() > GAP and np.abs(margin).max() < 50)
    found = mine(x, y, neighbours=neighbours)
    assert [tuple(row) for row in found.rows.tolist()] == expected
    np.testing.assert_allclose(found.scores, [margin[pair] for pair in expected], rtol=1e-4)


def pools(n: int, m: int, size: int, seed: int = 0):
    """Two sides whose first rows belong together."""
    random = np.random.default_rng(seed)
    x, y = unit(random.normal(size=(n, size))), unit(random.normal(size=(m, size)))
    both = min(n, m) // 2
    y[:both] = unit(x[:both] + 0.05 * random.normal(size=(both, size)))
    return x, y


def test_mining_does_not_care_for_a_common_rotation():
    random = np.random.default_rng(0)
    x, y = pools(40, 50, 8)
    turn = np.linalg.qr(random.normal(size=(8, 8)))[0].astype(np.float32)
    assert mine(x, y).rows.tolist() == mine(x @ turn, y @ turn).rows.tolist()


def test_mining_does_not_care_for_the_order_of_sentences():
    random = np.random.default_rng(1)
    x, y = pools(60, 45, 16)
    to_x, to_y = random.permutation(60), random.permutation(45)
    expected = {tuple(pair) for pair in mine(x, y).rows.tolist()}
    shuffled = mine(x[to_x], y[to_y]).rows
    assert {(int(to_x[i]), int(to_y[j])) for i, j in shuffled} == expected


def test_mining_is_the_same_from_either_side():
    x, y = pools(60, 45, 16)
    there, back = mine(x, y).rows, mine(y, x).rows
    assert {tuple(pair) for pair in there.tolist()} == {(i, j) for j, i in back.tolist()}


def test_planted_pairs_are_found_and_nothing_stands_twice():
    x, y = pools(300, 200, 32)
    found = mine(x, y)
    assert [tuple(row) for row in found.rows[:100].tolist()].count((0, 0)) == 1
    assert {tuple(row) for row in found.rows[:100].tolist()} == {(n, n) for n in range(100)}
    for side in (0, 1):
        assert len(set(found.rows[:, side].tolist())) == len(found.rows)
    assert (np.diff(found.scores) <= 0).all()


def test_both_searches_mine_the_same_pairs():
    pytest.importorskip("faiss")
    x, y = pools(600, 500, 24)
    one_pass, faiss = mine(x, y), mine(x, y, search="faiss")
    assert {tuple(pair) for pair in one_pass.rows.tolist()} == {tuple(pair) for pair in faiss.rows.tolist()}
    np.testing.assert_allclose(one_pass.scores, faiss.scores, rtol=1e-5)


@pytest.mark.parametrize("search", ["one pass", "faiss"])
def test_progress_is_told_to_the_end(search):
    if search == "faiss":
        pytest.importorskip("faiss")
    x, y = pools(4500, 30, 4)
    told = []
    mine(x, y, search=search, progress=lambda done, total: told.append((done, total)))
    assert len(told) >= 2
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert told[-1][0] == told[-1][1]


def test_pools_that_cannot_be_mined_are_refused():
    x, y = pools(5, 4, 8)
    with pytest.raises(UserError, match="the other side of the pool has no sentences"):
        mine(x, y[:0])
    x[3, 2] = np.nan
    with pytest.raises(UserError, match="1 vectors of the one side of the pool are not finite, row 3 first"):
        mine(x, y)


def test_faiss_is_asked_for_by_name(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    x, y = pools(5, 4, 8)
    with pytest.raises(UserError, match=r"faiss, which is not installed: pip install 'stilts\[faiss\]'"):
        mine(x, y, search="faiss")
    assert len(mine(x, y).rows)


@settings(max_examples=1000)
@given(st.lists(st.tuples(st.floats(0.5, 2.0), st.booleans()), min_size=1, max_size=20), st.integers(0, 5))
def test_no_other_threshold_gives_a_better_f1(pairs, missing):
    pairs = sorted(pairs, key=lambda pair: -pair[0])
    scores, right = [score for score, _ in pairs], [hit for _, hit in pairs]
    gold = sum(right) + missing

    def f1(threshold):
        kept = [hit for score, hit in pairs if score >= threshold]
        return 2 * sum(kept) / (len(kept) + gold) if sum(kept) else 0.0

    found = f1(best_threshold(scores, right, gold)) if gold else 0.0
    distinct = len(set(scores)) == len(scores)
    if distinct and gold:
        assert found == pytest.approx(max(f1(score) for score in scores))


def test_threshold_survives_the_best_cut_being_last_and_nothing_being_right():
    assert best_threshold([1.2, 1.1], [True, True], 2) == pytest.approx(1.1)
    assert best_threshold([1.2], [False], 1) == float("inf")
    assert json.dumps(best_threshold([], [], 3)) == "Infinity"
