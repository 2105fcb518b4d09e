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


def test_one_seed_has_no_interval_and_neither_have_equal_ones() -> None:
    assert not inference.t_estimate([3.0]).has_interval
    assert inference.t_estimate([3.0]).value == 3.0
    for equal in ([1.0, 1.0, 1.0], [0.1 + 0.2, 0.3, 0.3]):
        same = inference.t_estimate(equal)
        assert not same.has_interval
        assert math.isnan(same.p_value), "equal seeds are no certainty"


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


def difference_of(effects: NDArray[np.float64], value: float, step: float = 0.0) -> inference.Estimate:
    """One seed's difference, by effects of its clusters."""
    return inference.crossed([value], [inference.ItemEffects(effects=effects[None], step=step)])


def test_item_interval_agrees_with_a_paired_bootstrap() -> None:
    generator = np.random.default_rng(1)
    first = generator.random(300) < 0.8
    second = np.where(generator.random(300) < 0.9, first, ~first)
    difference = first.astype(float) - second.astype(float)
    found = difference_of(inference.mean_effects(difference, np.arange(300), 300), float(difference.mean()))
    other = oracle.bootstrap(
        (difference,), np.mean, method="percentile", n_resamples=4000, rng=np.random.default_rng(2)
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((other.low, other.high), abs=0.006)


def test_f1_interval_agrees_with_a_bootstrap_over_clusters() -> None:
    generator = np.random.default_rng(7)
    gold = generator.poisson(3, 400) + 1.0
    right = generator.binomial(gold.astype(int), 0.7).astype(float)
    counts = np.stack([right, right + generator.poisson(0.8, 400), gold], axis=1)
    clusters = np.repeat(np.arange(100), 4)
    effects = inference.f1_effects(counts, clusters, 100)

    def f1(counts: NDArray[np.float64]) -> float:
        return float(2 * counts[:, 0].sum() / counts[:, 1:].sum())

    sums = counts.reshape(100, 4, 3).sum(axis=1)
    drawn = [f1(sums[generator.integers(100, size=100)]) for _ in range(4000)]
    found = difference_of(effects, f1(counts))
    assert (found.high - found.low) / 2 == pytest.approx(1.98 * np.std(drawn), rel=0.06)
    assert effects.sum() == pytest.approx(0)
    assert inference.f1_effects(np.zeros((5, 3)), np.arange(5), 5).tolist() == [0] * 5


def test_item_p_value_agrees_with_mcnemar() -> None:
    generator = np.random.default_rng(4)
    for shift in (0.0, 0.02, 0.05):
        lost, won = generator.random(400) < 0.05, generator.random(400) < 0.05 + shift
        difference = won.astype(float) - lost.astype(float)
        effects = inference.mean_effects(difference, np.arange(400), 400)
        wins, losses = int((difference > 0).sum()), int((difference < 0).sum())
        exact = oracle.binomtest(wins, wins + losses).pvalue
        assert difference_of(effects, float(difference.mean())).p_value == pytest.approx(exact, abs=0.12)


def test_clusters_widen_the_interval_by_the_design_effect() -> None:
    generator = np.random.default_rng(3)
    values = np.repeat(generator.random(60) < 0.5, 5).astype(float)
    whole = inference.mean_effects(values, np.repeat(np.arange(60), 5), 60)
    naive = inference.mean_effects(values, np.arange(300), 300)
    assert np.square(whole).sum() / np.square(naive).sum() == pytest.approx(5)


def test_what_no_item_tells_apart_is_not_certain() -> None:
    """Two systems that agree everywhere may differ on the next item; the more were tried, the less."""
    small, large = (difference_of(np.zeros(count), 0.0, step=100 / count) for count in (50, 1000))
    assert small.p_value == large.p_value == 1.0
    assert small.high == pytest.approx(2.0 * 2.01, rel=0.01)
    assert large.high == pytest.approx(0.1 * 1.96, rel=0.01)


def test_p_values_and_intervals_say_the_same() -> None:
    generator = np.random.default_rng(5)
    for seeds in (1, 2, 3, 8):
        effects = generator.normal(0, 0.05, (seeds, 70))
        values = generator.normal(0.6, 0.5, seeds).tolist()
        found = inference.crossed(values, [inference.ItemEffects(effects=effects, step=0.1)])
        at = inference.crossed(
            values, [inference.ItemEffects(effects=effects, step=0.1)], level=1 - found.p_value
        )
        assert min(abs(at.low), abs(at.high)) == pytest.approx(0, abs=1e-3)


def test_a_table_knows_who_was_picked_for_its_number() -> None:
    assert inference.all_pairs([0.01, math.nan], 4) == [
        pytest.approx(0.06),
        pytest.approx(math.nan, nan_ok=True),
    ]
    generator = np.random.default_rng(11)
    told = 0
    for _ in range(2000):
        scores = generator.normal(0, 1, 8)
        behind = (scores.max() - np.delete(scores, scores.argmax())) / math.sqrt(2)
        p_values = (2 * oracle.norm.sf(behind)).tolist()
        told += min(inference.all_pairs(p_values, 8)) < 0.05
    assert told / 2000 <= 0.06


def test_false_discoveries_are_a_share_of_what_is_marked() -> None:
    assert inference.benjamini_hochberg([0.01, 0.04, math.nan, 0.02])[:2] == pytest.approx([0.03, 0.04])
    assert inference.benjamini_hochberg([]) == []
    generator = np.random.default_rng(1)
    shares = []
    for _ in range(500):
        z = generator.normal(0, 1, 100) + np.where(np.arange(100) < 30, 3.5, 0)
        found = np.array(inference.benjamini_hochberg((2 * oracle.norm.sf(abs(z))).tolist())) < 0.05
        shares.append(found[30:].sum() / max(1, found.sum()))
    assert np.mean(shares) <= 0.05


def test_partial_conjunction_counts_no_more_places_than_there_are() -> None:
    assert inference.partial_conjunction([0.001, 0.001, 0.02, 0.9]) == 3
    assert inference.partial_conjunction([0.02, 0.9, 0.9, 0.9]) == 0
    assert inference.partial_conjunction([math.nan, 0.001]) == 1
    assert inference.partial_conjunction([]) == 0
    generator = np.random.default_rng(2)
    shared = generator.normal(0, 1, (2000, 1))
    # Parallel test sets: languages rise and fall together; five of ten have an effect.
    z = 0.8 * shared + 0.6 * generator.normal(0, 1, (2000, 10)) + np.where(np.arange(10) < 5, 3.0, 0)
    found = [inference.partial_conjunction(oracle.norm.sf(one).tolist()) for one in z]
    assert np.mean(np.array(found) > 5) <= 0.05
    assert np.mean(found) > 1


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


def ratio_of(value: float, p_value: float, equivalence_p: float) -> inference.Ratio:
    return inference.Ratio(
        value=value, low=0.9, high=1.1, p_value=p_value, equivalence_p=equivalence_p, num_processes=5
    )


def told(*ratios: inference.Ratio) -> list[str]:
    return list(inference.verdicts(ratios, inference.holm))


def test_verdicts() -> None:
    assert told(ratio_of(1.0, 0.001, 0.001)) == ["equivalent"]
    assert told(ratio_of(1.2, 0.01, 0.9)) == ["worse"]
    assert told(ratio_of(0.8, 0.01, 0.9)) == ["better"]
    assert told(ratio_of(0.8, 0.2, 0.9)) == ["inconclusive"]


def test_both_kinds_of_test_are_corrected_for_the_family() -> None:
    assert told(*(ratio_of(1.0, 0.5, 0.03) for _ in range(2))) == ["inconclusive"] * 2
    assert told(*(ratio_of(1.1, 0.03, 0.5) for _ in range(2))) == ["inconclusive"] * 2
    assert told(ratio_of(1.0, 0.5, 0.01), inference.compare([1.3])) == ["equivalent", "not tested"]


def test_equivalence_by_chance_is_rare_in_a_whole_table() -> None:
    """24 ratios that lie on the margin itself, none of them equivalent."""
    generator = np.random.default_rng(14)
    found = 0
    for _ in range(400):
        ratios = [timings(generator, 8, 1.02, 0.008) for _ in range(24)]
        found += "equivalent" in told(*ratios)
    assert found / 400 <= 0.07


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
    assert told(ratio) == ["not tested"]
    assert told(inference.compare([0.5, 0.5, 0.5])) == ["not tested"], "equal processes are no certainty"


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
