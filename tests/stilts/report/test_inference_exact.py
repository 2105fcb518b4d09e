"""Formulas of the inference against the same worked out by hand or by scipy, at their edges too."""

import math

import numpy as np
import pytest
from scipy import stats

from stilts.report import inference
from stilts.report.inference import estimates, families, items, times


def effects(values: list[list[float]], step: float = 0.5) -> items.ItemEffects:
    return items.ItemEffects(effects=np.array(values), step=step)


# Three seeds; two sets of items that have nothing to do with each other.
SEEDS = [1.0, 2.5, 4.0]
FIRST = effects([[0.5, -0.5, 0.0], [1.0, -1.0, 0.0], [0.0, 0.5, -0.5]])
OTHER = effects([[0.2, -0.2], [0.4, -0.4], [0.6, -0.6]], step=0.25)


def by_hand() -> dict[str, float]:
    """The parts of the spread of SEEDS over both sets, step by step."""
    first = (0.5**2 + (-1 / 3) ** 2 + (-0.5 / 3) ** 2) * 3 / 2
    other = (0.4**2 + 0.4**2) * 2 / 1
    single = ((0.5 + 2.0 + 0.5) / 3) * 3 / 2 + ((0.08 + 0.32 + 0.72) / 3) * 2
    pooled = first + other
    return {
        "between": 2.25 / 3,
        "shared": pooled - (single - pooled) / 2,
        "least": pooled + (0.5**2 + 0.25**2) / 3,
        "freedom": pooled**2 / (first**2 / 2 + other**2 / 1),
    }


def test_seeds_and_items_are_the_parts_of_a_spread() -> None:
    wanted = by_hand()
    found = inference.crossed(SEEDS, [FIRST, OTHER])
    spread = found.spread
    assert found.value == 2.5
    assert spread.replicates is not None
    assert spread.items is not None
    assert spread.least is not None
    assert spread.replicates.variance == pytest.approx(wanted["between"])
    assert spread.replicates.freedom == 2
    assert spread.items.variance == pytest.approx(wanted["shared"])
    assert spread.items.freedom == pytest.approx(wanted["freedom"])
    assert spread.least.variance == pytest.approx(wanted["least"])
    assert spread.least.freedom == pytest.approx(wanted["freedom"])
    quantiles = stats.t.ppf(0.975, [2, wanted["freedom"]])
    parts = np.array([wanted["between"], wanted["shared"]])
    half = max((quantiles * parts).sum() / math.sqrt(parts.sum()), quantiles[1] * math.sqrt(wanted["least"]))
    assert (found.low, found.high) == (pytest.approx(2.5 - half), pytest.approx(2.5 + half))


def test_another_level_has_another_interval() -> None:
    wide, narrow = (inference.crossed(SEEDS, [FIRST, OTHER], level) for level in (0.99, 0.5))
    assert wide.low < narrow.low < narrow.high < wide.high
    assert wide.p_value == narrow.p_value


def test_seeds_alone_are_a_t_interval() -> None:
    for level in (0.9, 0.95):
        found, wanted = inference.crossed(SEEDS, None, level), inference.t_estimate(SEEDS, level)
        assert (found.value, found.low, found.high) == (wanted.value, wanted.low, wanted.high)
        assert inference.crossed(SEEDS, [], level).low == wanted.low
        low, high = stats.t.interval(level, 2, loc=2.5, scale=1.5 / math.sqrt(3))
        assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


def test_one_seed_has_the_spread_of_its_items() -> None:
    alone = effects([[0.5, -0.5, 0.0]])
    found = inference.crossed([1.0], [alone])
    assert found.spread.replicates is None
    assert found.spread.items is None
    assert found.spread.least is not None
    assert found.spread.least.variance == pytest.approx(0.5 * 3 / 2 + 0.25)
    assert found.spread.least.freedom == 2


def test_what_seeds_do_not_share_counts_once() -> None:
    """Items that push every seed elsewhere cancel in the mean: nothing of them is shared."""
    apart = effects([[1.0, -1.0], [-1.0, 1.0]])
    found = inference.crossed([0.0, 1.0], [apart])
    assert found.spread.items is not None
    assert found.spread.items.variance == 0.0


def test_freedom_of_no_variance_is_the_least_there_is() -> None:
    assert estimates._welch([(0.0, 3.0), (0.0, 2.0)]) == 2.0
    assert estimates._welch([(0.5, 4.0)]) == pytest.approx(4.0)
    assert estimates._welch([(1e-3, 4.0), (2e-3, 8.0)]) == pytest.approx(9e-6 / (1e-6 / 4 + 4e-6 / 8))


def test_a_cluster_without_items_and_a_single_one() -> None:
    found = items.mean_effects(np.array([1.0, 0.0, 0.5]), np.array([0, 0, 2]), 5)
    assert found == pytest.approx([0.0, 0.0, 0.0, 0.0, 0.0])
    found = items.mean_effects(np.array([1.0, 0.0, 0.2]), np.array([0, 1, 1]), 4)
    assert found == pytest.approx([0.6 / 3, -0.6 / 3, 0, 0])
    # Right, predicted, gold: an item whose tags are all right, one with as many that are wrong.
    found = items.f1_effects(np.array([[2.0, 2.0, 2.0], [0.0, 1.0, 1.0]]), np.array([0, 1]), 3)
    f1 = 2 * 2 / 6
    assert found == pytest.approx([(4 - f1 * 4) / 6, (0 - f1 * 2) / 6, 0])
    assert items.f1_effects(np.zeros((2, 3)), np.array([0, 1]), 2).tolist() == [0, 0]
    for clusters, factor in ((1, 1.0), (2, 2.0), (3, 1.5)):
        assert effects([[1.0] + [0.0] * (clusters - 1)]).variance_of_mean == pytest.approx(factor)


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("quantile", [0.5, 0.9])
def test_order_statistics_are_those_of_the_binomial(level: float, quantile: float) -> None:
    """The ranks hold the level, and one less on either side would not."""
    for count in (times.least_queries(quantile, level), 100, 137):
        found = times.order_interval(np.arange(count, dtype=float), quantile, level)
        if found is None:
            continue
        low, high = map(int, found)
        # As many of the values as low + 1 lie below the quantile, and no more than high.
        tail = (1 - level) / 2
        assert stats.binom.cdf(low, count, quantile) <= tail + 1e-12 or low == 0
        assert stats.binom.cdf(low + 1, count, quantile) >= tail
        assert stats.binom.cdf(high, count, quantile) >= 1 - tail
        assert stats.binom.cdf(high - 1, count, quantile) < 1 - tail
    assert (
        times.order_interval(np.arange(times.least_queries(quantile, level) - 1.0), quantile, level) is None
    )


def test_too_few_calls_for_either_end_have_no_interval() -> None:
    assert times.order_interval(np.arange(5.0), 0.5) is None
    assert times.order_interval(np.arange(6.0), 0.5) == (0.0, 5.0)
    assert times.order_interval(np.arange(6.0), 0.5, 0.99) is None
    assert times.order_interval(np.arange(367.0), 0.99) is None
    assert times.order_interval(np.arange(367.0), 0.01) is None


@pytest.mark.parametrize("num_processes", [2, 3, 8])
@pytest.mark.parametrize("spread", [0.001, 0.01, 0.05, 0.3])
@pytest.mark.parametrize("margin", [0.02, 0.05])
def test_as_many_processes_as_both_tests_need(num_processes: int, spread: float, margin: float) -> None:
    """The least count for which the standard error leaves room for both errors, by scipy's t."""
    half = stats.t.ppf(0.975, num_processes - 1) * spread / math.sqrt(num_processes)
    pilot = inference.Ratio(
        value=1.0, low=math.exp(-half), high=math.exp(half), p_value=1.0, equivalence_p=1.0,
        num_processes=num_processes,
    )  # fmt: skip

    def succeeds(count: int) -> bool:
        reach = stats.t.ppf(0.95, count - 1) + stats.t.ppf(0.9, count - 1)
        return bool(reach * spread / math.sqrt(count) <= math.log1p(margin))

    wanted = next((count for count in range(2, 1001) if succeeds(count)), 1000)
    assert inference.processes_needed(pilot, margin=margin) == wanted


def test_processes_that_tell_nothing_plan_nothing() -> None:
    common = {"value": 1.0, "p_value": 1.0, "equivalence_p": 1.0}
    for low, high, count in ((0.9, 1.1, 1), (1.0, 1.0, 5), (0.0, 1.1, 5), (math.nan, math.nan, 5)):
        pilot = inference.Ratio(low=low, high=high, num_processes=count, **common)
        assert inference.processes_needed(pilot, margin=0.02) is None


def test_unlike_work_is_no_pair() -> None:
    keys, clock = np.arange(4), np.array([1.0, 2.0, 3.0, 4.0])
    work = np.array([10, 20, 30, 40], np.int32)
    same = inference.Calls(keys, clock, work)
    assert inference.paired_ratio(inference.Calls(keys, 2 * clock, work), same) == pytest.approx(2)
    other = inference.Calls(keys, clock, np.array([10, 20, 30, 41], np.int32))
    assert math.isnan(inference.paired_ratio(other, same))
    assert math.isnan(inference.paired_ratio(same, other))
    unknown = inference.Calls(keys, 3 * clock)
    assert inference.paired_ratio(unknown, same) == pytest.approx(3)
    assert inference.paired_ratio(same, unknown) == pytest.approx(1 / 3)
    # Of work that one of them alone had, nothing is compared.
    short = inference.Calls(keys[:3], clock[:3], work[:3])
    assert inference.paired_ratio(short, other) == pytest.approx(1)


def test_neighbours_in_time_at_the_edges() -> None:
    assert math.isnan(inference.lag_one(np.array([1.0, 2.0])))
    assert math.isnan(inference.lag_one(np.array([2.0, 2.0, 2.0, 2.0])))
    assert inference.lag_one(np.array([1.0, 2.0, 4.0])) == pytest.approx(1.0)
    up_and_down = np.array([1.0, -1.0, 1.0, -1.0])
    assert float(up_and_down.std()) == 1.0
    assert inference.lag_one(up_and_down) == pytest.approx(-1.0)


def test_adjusted_p_values_end_at_one() -> None:
    assert families.all_pairs([0.9, 0.001, math.nan], 4)[:2] == [1.0, pytest.approx(0.006)]
    assert math.isnan(families.all_pairs([math.nan], 4)[0])
    # What was not tested is a place without an effect, not a certain one.
    assert families.partial_conjunction([math.nan, math.nan, 0.001]) == 1
    assert families.partial_conjunction([0.05, 1.0]) == 0
    assert families.partial_conjunction([0.025, 1.0]) == 1


def test_quantiles_of_several_processes_are_a_t_interval_around_that_of_all_calls() -> None:
    chance = np.random.default_rng(5)
    parts = [1e6 * level * chance.gamma(30, 1 / 30, 400) for level in (1.0, 1.02, 0.99)]
    for quantile, level in ((0.5, 0.95), (0.9, 0.95), (0.5, 0.8)):
        (found,) = inference.pooled_quantiles(parts, (quantile,), level=level)
        assert found.value == pytest.approx(np.quantile(np.concatenate(parts), quantile), rel=1e-12)
        own = np.log([np.quantile(part, quantile) for part in parts])
        low, high = stats.t.interval(level, 2, loc=0, scale=own.std(ddof=1) / math.sqrt(3))
        assert found.low == pytest.approx(found.value * math.exp(low), rel=1e-9)
        assert found.high == pytest.approx(found.value * math.exp(high), rel=1e-9)


def test_processes_of_few_calls_also_have_the_order_statistics_of_all() -> None:
    """Three processes alike, with too few calls each for a median of their own."""
    parts = [np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([1.0, 2.0, 3.1, 4.0, 5.0]), np.arange(1.0, 6.0)]
    found = inference.pooled_quantile(parts, 0.5)
    whole = times.order_interval(np.concatenate(parts), 0.5)
    assert whole == (2.0, 4.0)
    assert (found.value, found.low, found.high) == (3.0, *whole)
    enough = [np.tile(part, 2) for part in parts]
    assert inference.pooled_quantile(enough, 0.5).high < 4.0
    # The 99th percentile of fifteen calls has no interval at all.
    assert not inference.pooled_quantile(parts, 0.99).has_interval


def test_processes_without_spread_or_time_have_no_interval() -> None:
    assert not inference.pooled_quantile([np.ones(10), np.ones(10)], 0.5).has_interval
    assert not inference.pooled_quantile([np.arange(1.0, 11.0)], 0.5).has_interval
    assert not inference.pooled_quantile([np.zeros(10), np.arange(1.0, 11.0)], 0.5).has_interval
    assert inference.pooled_quantile([np.arange(1.0, 11.0), np.arange(2.0, 12.0)], 0.5).has_interval


def test_a_verdict_needs_a_p_value_below_the_level() -> None:
    def ratio(value: float, different: float, equal: float) -> inference.Ratio:
        return inference.Ratio(
            value=value, low=0.9, high=1.1, p_value=different, equivalence_p=equal, num_processes=5
        )

    asked = [ratio(0.9, 0.01, 0.9), ratio(1.1, 0.01, 0.9), ratio(1.0, 0.25, 0.25), ratio(1.0, 0.01, 0.25)]
    assert inference.verdicts(asked, list, level=0.75) == ["better", "worse", "inconclusive", "worse"]


def test_the_effect_on_an_f1_counts_what_was_predicted_and_what_was_gold() -> None:
    """Against the difference that a little more of an item makes."""
    counts = np.array([[2.0, 3.0, 2.0], [1.0, 1.0, 4.0], [0.0, 2.0, 1.0]])

    def f1(weights: np.ndarray) -> float:
        right, predicted, gold = weights @ counts
        return 2 * right / (predicted + gold)

    found = items.f1_effects(counts, np.arange(3), 3)
    for place in range(3):
        more = np.ones(3)
        more[place] += 1e-6
        assert found[place] == pytest.approx((f1(more) - f1(np.ones(3))) / 1e-6, rel=1e-4)


@pytest.mark.parametrize("ratios", [[1.001, 0.999, 1.004, 0.998], [1.03, 1.05, 1.04], [0.9, 1.2, 1.1, 1.0]])
def test_two_one_sided_tests_are_scipys(ratios: list[float]) -> None:
    found = inference.compare(ratios, margin=0.02)
    logs, bound = np.log(ratios), math.log1p(0.02)
    above = stats.ttest_1samp(logs, -bound, alternative="greater").pvalue
    below = stats.ttest_1samp(logs, bound, alternative="less").pvalue
    assert found.equivalence_p == pytest.approx(max(above, below), rel=1e-4)
    assert found.p_value == pytest.approx(stats.ttest_1samp(logs, 0).pvalue, rel=1e-4)
    assert found.value == pytest.approx(math.exp(logs.mean()))
    assert found.num_processes == len(ratios)
    low, high = stats.t.interval(0.95, len(ratios) - 1, loc=logs.mean(), scale=stats.sem(logs))
    assert (found.low, found.high) == (pytest.approx(math.exp(low)), pytest.approx(math.exp(high)))


def test_a_number_without_an_interval_is_still_the_number() -> None:
    alone = inference.pooled_quantile([np.arange(1.0, 11.0)], 0.5)
    alike = inference.pooled_quantile([np.ones(10), np.ones(10)], 0.5)
    few = inference.pooled_quantile([np.arange(1.0, 6.0), np.arange(1.5, 6.5)], 0.99)
    assert (alone.value, alike.value) == (5.5, 1.0)
    assert few.value == pytest.approx(np.quantile([*np.arange(1.0, 6.0), *np.arange(1.5, 6.5)], 0.99))
    ended = estimates.estimated(2.0, estimates.Spread())
    assert (ended.value, ended.has_interval, ended.spread) == (2.0, False, estimates.Spread())
    assert estimates.t_estimate([1e9, 1e9 * (1 + 1e-15)]).has_interval is False
    assert estimates.t_estimate([1e-3, 2e-3]).has_interval


def test_the_level_of_a_quantile_is_the_one_that_is_asked() -> None:
    parts = [np.arange(1.0, 41.0), np.arange(2.0, 42.0), np.arange(1.5, 41.5)]
    wide, narrow = (inference.pooled_quantile(parts, 0.5, level=level) for level in (0.99, 0.5))
    assert wide.high - wide.low > narrow.high - narrow.low
    # Six calls a process are just enough at this level, and not at a higher one.
    parts = [
        np.array([1.0, 2, 3, 4, 5, 60]),
        np.array([1.0, 2, 3.1, 4, 5, 60]),
        np.array([1.0, 2, 3, 4, 5, 60]),
    ]
    assert times.least_queries(0.5) == 6
    assert inference.pooled_quantile(parts, 0.5).high < 4
    assert inference.pooled_quantile(parts, 0.5, level=0.999).high >= 4


def test_p_values_at_their_ends() -> None:
    spread = estimates.Spread(replicates=estimates.Part(1.0, 5))
    assert spread.p_value(0.0) == 1.0
    assert spread.p_value(1e-12) == pytest.approx(1.0)
    assert spread.p_value(1.0) == pytest.approx(2 * stats.t.sf(1.0, 5), rel=1e-5)
    assert spread.p_value(-1.0) == spread.p_value(1.0)
    assert 0 < spread.p_value(1e9) < 1e-12
    assert math.isnan(estimates.Spread().p_value(1.0))
    least = estimates.Spread(least=estimates.Part(4.0, 9))
    assert least.p_value(3.0) == pytest.approx(2 * stats.t.sf(1.5, 9), rel=1e-5)


@pytest.mark.parametrize("seeds", range(2, 30))
def test_the_mean_of_equal_scores_is_no_change_whatever_the_number_of_seeds(seeds: int) -> None:
    """Summed in any order: some of these differ in the last digit, which is neither better nor worse."""
    score = 100 * 2 / 3
    added = 0.0
    for _ in range(seeds):
        added += score / seeds
    assert inference.crossed([added - score] * 3, None).value == 0
    assert inference.without_rounding(added - score) == 0
    assert added != score or seeds not in (9, 10, 20), "no example of what this is about"


def test_the_least_change_that_a_study_can_show_is_one() -> None:
    """One answer in a hundred thousand, in one of ten seeds and one of forty languages."""
    least = 100 / 1e5 / 10 / 40
    assert inference.without_rounding(least) == least
    assert inference.crossed([-least], None).value == -least


def test_a_small_cost_is_no_rounding() -> None:
    """Hours, exaflop and prices are no points: theirs may be as small as they like."""
    assert inference.t_estimate([1e-15, 3e-15]).value == pytest.approx(2e-15, rel=1e-12)
