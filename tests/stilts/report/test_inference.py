"""Statistics against worked numbers, other implementations and simulation with fixed seeds."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats as oracle

from stilts.report import inference


def test_t_interval_matches_scipy_and_its_printed_factors() -> None:
    values = [81.2, 80.7, 82.0]
    found = inference.t_estimate(values)
    test = oracle.ttest_1samp(values, 0)
    interval = test.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.p_value == pytest.approx(test.pvalue)
    for count, factor in ((3, 2.4841), (5, 1.2417), (10, 0.7154)):
        data = np.arange(count, dtype=float)
        estimate = inference.t_estimate(data.tolist())
        assert (estimate.high - estimate.value) / data.std(ddof=1) == pytest.approx(factor, abs=1e-3)


def test_one_seed_has_no_interval_and_equal_seeds_a_point() -> None:
    assert not inference.t_estimate([3.0]).has_interval
    assert inference.t_estimate([3.0]).value == 3.0
    same = inference.paired_difference([2.0, 4.0], [1.0, 3.0])
    assert (same.value, same.low, same.high, same.p_value) == (1.0, 1.0, 1.0, 0.0)
    assert inference.paired_difference([2.0, 4.0], [2.0, 4.0]).p_value == 1.0


def test_pairing_by_seed_is_what_narrows_the_interval() -> None:
    base = np.array([70.0, 75.0, 80.0])
    gained = base + np.array([1.0, 1.1, 0.9])
    assert inference.paired_difference(gained.tolist(), base.tolist()).p_value < 0.01
    assert oracle.ttest_ind(gained, base).pvalue > 0.5


def test_holm_worked_example_ties_and_gaps() -> None:
    assert inference.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    found = inference.holm([math.nan, 0.01, 0.5, math.nan])
    assert found[1:3] == pytest.approx([0.02, 0.5])
    assert math.isnan(found[0])
    assert inference.holm([0.9, 0.8]) == [1.0, 1.0]


@pytest.mark.parametrize(("quantile", "least"), [(0.5, 6), (0.9, 36), (0.95, 72), (0.99, 368), (0.999, 3688)])
def test_least_queries_are_the_fewest_with_an_interval(quantile: float, least: int) -> None:
    assert inference.least_queries(quantile) == least
    values = np.arange(float(least))
    assert inference.order_interval(values, quantile) is not None
    assert inference.order_interval(values[1:], quantile) is None


@pytest.mark.parametrize(("quantile", "count"), [(0.5, 34), (0.95, 200), (0.99, 500)])
def test_order_interval_covers(quantile: float, count: int) -> None:
    generator = np.random.default_rng(5)
    truth = oracle.expon.ppf(quantile)
    hits = 0
    for sample in generator.exponential(size=(600, count)):
        interval = inference.order_interval(sample, quantile)
        assert interval is not None
        hits += interval[0] <= truth <= interval[1]
    assert 0.935 <= hits / 600 <= 0.995


def test_item_bootstrap_agrees_with_scipy_on_a_paired_mean() -> None:
    generator = np.random.default_rng(1)
    first = generator.random(300) < 0.8
    second = np.where(generator.random(300) < 0.9, first, ~first)
    difference = first.astype(float) - second.astype(float)
    draws = inference.item_draws(300, 4000)
    resamples = inference.resampled_means(difference, np.ones(300), draws)
    found = inference.from_resamples(float(difference.mean()), resamples)
    other = oracle.bootstrap(
        (difference,), np.mean, method="percentile", n_resamples=4000, rng=np.random.default_rng(2)
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((other.low, other.high), abs=0.006)


def test_item_bootstrap_p_value_agrees_with_mcnemar() -> None:
    generator = np.random.default_rng(4)
    draws = inference.item_draws(400, 2000)
    for shift in (0.0, 0.02, 0.05):
        lost, won = generator.random(400) < 0.05, generator.random(400) < 0.05 + shift
        difference = won.astype(float) - lost.astype(float)
        estimate = inference.from_resamples(
            float(difference.mean()), inference.resampled_means(difference, np.ones(400), draws)
        )
        wins, losses = int((difference > 0).sum()), int((difference < 0).sum())
        exact = oracle.binomtest(wins, wins + losses).pvalue
        assert estimate.p_value == pytest.approx(exact, abs=0.12)


def test_clusters_widen_the_interval_by_the_design_effect() -> None:
    generator = np.random.default_rng(3)
    clusters = np.repeat(np.arange(60), 5)
    values = np.repeat(generator.random(60) < 0.5, 5).astype(float)
    sums = inference.cluster_sums(values, clusters, 60)
    sizes = inference.cluster_sums(np.ones(300), clusters, 60)
    whole = inference.resampled_means(sums, sizes, inference.item_draws(60, 2000))
    naive = inference.resampled_means(values, np.ones(300), inference.item_draws(300, 2000))
    assert whole.std() / naive.std() == pytest.approx(math.sqrt(5), rel=0.1)


def test_resampled_f1_of_the_sample_itself_is_the_f1() -> None:
    hits, predicted, gold = np.array([2.0, 0.0, 1.0]), np.array([3.0, 1.0, 1.0]), np.array([2.0, 2.0, 1.0])
    assert inference.resampled_f1(hits, predicted, gold, np.ones((1, 3), np.uint8))[0] == pytest.approx(
        2 * 3 / 10
    )
    assert inference.resampled_f1(hits, np.zeros(3), np.zeros(3), np.ones((1, 3), np.uint8))[0] == 0.0


def test_bootstrap_p_value_is_never_zero() -> None:
    estimate = inference.from_resamples(1.0, np.full(99, 1.0))
    assert estimate.p_value == pytest.approx(2 / 100)


def timings(
    generator: np.random.Generator, processes: int, true_ratio: float, spread: float
) -> inference.Ratio:
    return inference.compare((true_ratio * np.exp(generator.normal(0, spread, processes))).tolist())


def test_equivalence_has_its_size_and_its_power() -> None:
    generator = np.random.default_rng(8)
    at_the_margin = [timings(generator, 10, 1.02, 0.01).equivalent for _ in range(1000)]
    assert np.mean(at_the_margin) <= 0.065
    at_one = [timings(generator, 10, 1.0, 0.015).equivalent for _ in range(1000)]
    assert np.mean(at_one) == pytest.approx(0.97, abs=0.02)


def test_ratio_interval_covers_where_many_calls_of_one_process_would_not() -> None:
    generator = np.random.default_rng(9)
    ratios = [timings(generator, 5, 1.1, 0.02) for _ in range(1000)]
    covered = [ratio.low <= 1.1 <= ratio.high for ratio in ratios]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.02)


def test_verdicts() -> None:
    def ratio(value: float, *, equivalent: bool = False) -> inference.Ratio:
        return inference.Ratio(
            value=value, low=0.9, high=1.1, p_value=0.5, equivalent=equivalent, num_processes=5
        )

    assert inference.verdict(ratio(1.0, equivalent=True), 0.001) == "equivalent"
    assert inference.verdict(ratio(1.2), 0.01) == "worse"
    assert inference.verdict(ratio(0.8), 0.01) == "better"
    assert inference.verdict(ratio(0.8), 0.2) == "inconclusive"


def test_a_pilot_says_how_many_processes_tell() -> None:
    """With as many as it says, equal times are found equivalent about as often as it promises."""
    generator = np.random.default_rng(12)
    pilot = inference.compare(np.exp(0.02 * np.array([-1.2, -0.4, 0.3, 1.3])).tolist())
    needed = inference.processes_needed(pilot, margin=0.02)
    assert needed is not None
    spread = float(np.std([0.02 * value for value in (-1.2, -0.4, 0.3, 1.3)], ddof=1))
    found = [timings(generator, needed, 1.0, spread).equivalent for _ in range(600)]
    assert 0.72 <= np.mean(found) <= 0.93
    assert inference.processes_needed(inference.compare([1.0]), margin=0.02) is None
    assert needed > (inference.processes_needed(pilot, margin=0.05) or 0)


def test_calls_made_side_by_side_share_the_machine() -> None:
    """The machine slows down by half for a while: medians of a process do not know, pairs do."""
    generator = np.random.default_rng(4)
    keys = np.arange(400)
    machine = np.where((keys > 100) & (keys < 320), 1.5, 1.0) * generator.gamma(60, 1 / 60, 400)
    first = inference.Calls(keys, machine * 1.05 * np.exp(generator.normal(0, 0.01, 400)))
    second = inference.Calls(keys, machine * np.exp(generator.normal(0, 0.01, 400)))
    assert inference.paired_ratio(first, second) == pytest.approx(1.05, rel=0.003)
    twice = inference.Calls(np.repeat(first.keys, 2), np.repeat(first.times, 2))
    assert inference.paired_ratio(twice, second) == inference.paired_ratio(first, second)
    half = inference.Calls(first.keys[::3], first.times[::3])
    assert inference.paired_ratio(half, second) == pytest.approx(1.05, rel=0.005)
    assert math.isnan(inference.paired_ratio(half, inference.Calls(keys[1:2], machine[1:2])))


def test_one_process_decides_nothing() -> None:
    ratio = inference.compare([0.5])
    assert not ratio.equivalent
    assert inference.verdict(ratio, math.nan) == "inconclusive"


def test_a_pooled_quantile_needs_two_processes_and_enough_calls() -> None:
    values = np.arange(1.0, 101.0)
    assert not inference.pooled_quantile([values], 0.5).has_interval
    pooled = inference.pooled_quantile([values, values + 50], 0.5)
    assert pooled.value == pytest.approx(75.5)
    assert pooled.low < 75.5 < pooled.high
    assert not inference.pooled_quantile([values[:30], values[30:60]], 0.95).has_interval


@pytest.mark.parametrize(
    ("count", "calls", "quantile", "most"),
    [(10, 225, 0.5, 0.97), (5, 225, 0.95, 0.97), (10, 225, 0.99, 0.985), (3, 60, 0.5, 0.97),
     (7, 100, 0.95, 0.97), (12, 45, 0.95, 1.0), (3, 140, 0.99, 1.0)],
)  # fmt: skip
def test_intervals_of_percentiles_cover(count: int, calls: int, quantile: float, most: float) -> None:
    """2 % between processes, gamma-like calls; where processes are too short for their own quantile, more."""
    generator = np.random.default_rng(6)

    def drawn(shape: tuple[int, int]) -> NDArray[np.float64]:
        levels = np.exp(generator.normal(0, 0.02, shape[0]))[:, None]
        return levels * generator.gamma(20, 1, shape)

    true = float(np.quantile(drawn((4000, 250)), quantile))
    found = [inference.pooled_quantile(list(drawn((count, calls))), quantile) for _ in range(1200)]
    share = sum(one.low <= true <= one.high for one in found) / len(found)
    assert 0.93 <= share <= most


def test_neighbours_in_time_shrink_the_sample() -> None:
    generator = np.random.default_rng(2)
    noise, series = generator.normal(size=4000), np.zeros(4000)
    for n in range(1, 4000):
        series[n] = 0.5 * series[n - 1] + noise[n]
    assert inference.lag_one(series) == pytest.approx(0.5, abs=0.05)
    assert inference.effective_size(300, 0.5) == pytest.approx(100)
    assert inference.effective_size(300, -0.2) == 300
    assert math.isnan(inference.lag_one(np.ones(10)))
