import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from stilts.train.mixing import Interleaved, Mixture, Size, capped, smoothed


def lengths(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(5, 40, count).astype(np.int32)


def mixture(seed: int = 1, cap: int = 300, **more: int) -> Mixture:
    sizes = {"mnli": 1000, "squad_v1": 300, "ccg": 40} | more
    return Mixture(
        {n: lengths(s) for n, s in sizes.items()},
        weights=capped(sizes, cap),
        size=Size(tokens=200),
        seed=seed,
    )


def test_probabilities_are_proportional_up_to_the_cap() -> None:
    assert mixture().probabilities == {"mnli": 300 / 640, "squad_v1": 300 / 640, "ccg": 40 / 640}
    published = {
        "anli_plus": 1_104_934, "mnli": 392_702, "qqp": 363_846, "squad_v1": 87_599, "squad_v2": 130_319,
        "hellaswag": 39_905, "ccg": 38_015, "cosmosqa": 25_262, "commonsenseqa": 9_741,
    }  # fmt: skip
    full = Mixture(
        {name: np.ones(size, np.int32) for name, size in published.items()},
        weights=capped(published),
        size=Size(tokens=9),
        seed=0,
    )
    shares = {name: round(100 * share, 1) for name, share in full.probabilities.items()}
    assert shares == {
        "anli_plus": 18.1, "mnli": 18.1, "qqp": 18.1, "squad_v1": 12.1, "squad_v2": 18.0, "hellaswag": 5.5,
        "ccg": 5.3, "cosmosqa": 3.5, "commonsenseqa": 1.3,
    }  # fmt: skip


@settings(max_examples=20)
@given(st.integers(0, 150), st.integers(0, 3))
def test_a_run_interrupted_anywhere_goes_on_identically(step: int, seed: int) -> None:
    whole, resumed = mixture(seed), mixture(seed)
    expected = [whole.draw(n) for n in range(160)]
    for number in range(step, 160):
        task, rows = resumed.draw(number)
        assert task == expected[number].task
        np.testing.assert_array_equal(rows, expected[number].rows)


def test_each_epoch_of_a_task_sees_every_item_once_in_a_new_order() -> None:
    drawn: dict[str, list[np.ndarray]] = {}
    one = mixture()
    for step in range(400):
        task, rows = one.draw(step)
        drawn.setdefault(task, []).append(rows)
    for task, count in (("ccg", 40), ("squad_v1", 300)):
        flat = np.concatenate(drawn[task])
        epochs = [flat[n : n + count] for n in range(0, len(flat) - count, count)]
        assert len(epochs) > 2
        for epoch in epochs:
            assert sorted(epoch) == list(range(count))
        assert epochs[0].tolist() != epochs[1].tolist()


def test_tasks_are_drawn_as_often_as_they_should() -> None:
    report = mixture().report(10_000)
    assert sum(share.steps for share in report.values()) == 10_000
    for share in report.values():
        assert share.steps / 10_000 == pytest.approx(share.probability, abs=0.02)


def test_the_report_counts_what_was_drawn() -> None:
    one = mixture()
    draws = [one.draw(step) for step in range(100)]
    for name, share in one.report(100).items():
        rows = [rows for task, rows in draws if task == name]
        assert share.steps == len(rows)
        assert share.items == sum(map(len, rows))
        assert share.tokens == sum(
            int(lengths({"mnli": 1000, "squad_v1": 300, "ccg": 40}[name])[r].sum()) for r in rows
        )
    assert one.report(100)["ccg"].epochs == pytest.approx(one.report(100)["ccg"].items / 40)


def test_seeds_differ_and_task_order_does_not_matter() -> None:
    def order(one: Mixture) -> list[tuple[str, list[int]]]:
        return [(task, rows.tolist()) for task, rows in map(one.draw, range(50))]

    assert order(mixture(1)) != order(mixture(2))
    turned = Mixture(
        {"ccg": lengths(40), "squad_v1": lengths(300), "mnli": lengths(1000)},
        weights=capped({"ccg": 40, "squad_v1": 300, "mnli": 1000}, 300),
        size=Size(tokens=200),
        seed=1,
    )
    assert order(turned) == order(mixture(1))


def test_one_task_alone_goes_through_its_data_in_passes() -> None:
    alone = Mixture({"mnli": lengths(100)}, weights={"mnli": 100}, size=Size(tokens=200), seed=0)
    steps = alone.steps(2)
    rows = np.concatenate([alone.draw(step).rows for step in range(steps)])
    assert abs(len(rows) - 200) <= 20
    assert alone.steps(0.001) == 1


def test_steps_are_passes_over_the_capped_mixture() -> None:
    count = {
        name: Mixture({name: lengths(n)}, weights={name: n}, size=Size(tokens=200), seed=1).steps(1)
        for name, n in (("mnli", 1000), ("ccg", 40))
    }
    mixed = Mixture(
        {"mnli": lengths(1000), "ccg": lengths(40)},
        weights=capped({"mnli": 1000, "ccg": 40}, 250),
        size=Size(tokens=200),
        seed=1,
    )
    assert mixed.steps(3) == pytest.approx(3 * (count["mnli"] / 4 + count["ccg"]), abs=2)


def test_a_mixture_of_nothing_is_refused() -> None:
    for tasks in ({}, {"mnli": np.zeros(0, np.int32)}):
        with pytest.raises(ValueError, match="every task needs items"):
            Mixture(tasks, weights=dict.fromkeys(tasks, 1.0), size=Size(tokens=9), seed=0)


def test_batches_of_items_hold_so_many_whatever_their_lengths() -> None:
    alone = Mixture({"mnli": lengths(100)}, weights={"mnli": 100}, size=Size(items=16), seed=3)
    assert alone.steps(2) == 14
    drawn = [alone.draw(step).rows for step in range(7)]
    assert sorted(map(len, drawn)) == [4, 16, 16, 16, 16, 16, 16]
    assert sorted(np.concatenate(drawn)) == list(range(100))
    # Random company: sorted by length, the batches' means would lie far apart.
    means = [lengths(100)[rows].mean() for rows in drawn if len(rows) == 16]
    assert np.std(means) < 4


def test_each_task_can_have_batches_of_its_own_size() -> None:
    one = Mixture(
        {"mnli": lengths(240), "ccg": lengths(40)},
        weights=capped({"mnli": 240, "ccg": 40}),
        size={"mnli": Size(items=24), "ccg": Size(items=4)},
        seed=0,
    )
    assert one.steps(3) == 3 * (10 + 10)
    sizes = {(name, len(rows)) for name, rows in map(one.draw, range(10))}
    assert sizes == {("mnli", 24), ("ccg", 4)}


def test_the_cap_holds_for_a_task_with_all_its_languages() -> None:
    sizes = {"mnli": 300, "mnli/de": 300, "mnli/ru": 100, "ccg": 40}
    weights = capped(sizes, 350, sets={"mnli/de": "mnli", "mnli/ru": "mnli"})
    assert weights == {"mnli": 150.0, "mnli/de": 150.0, "mnli/ru": 50.0, "ccg": 40.0}
    assert capped({"mnli": 1000, "ccg": 40}, 300) == {"mnli": 300, "ccg": 40}


def test_languages_are_drawn_by_their_smoothed_amounts() -> None:
    amounts = {"en": 1_000_000.0, "de": 100_000.0, "sw": 1000.0}
    weights = smoothed(amounts, 0.3)
    assert sum(weights.values()) == pytest.approx(1.0)
    assert weights["en"] / weights["sw"] == pytest.approx(1000**0.3)
    texts = Mixture({name: lengths(50) for name in amounts}, weights=weights, size=Size(tokens=200), seed=4)
    for name, share in texts.report(20_000).items():
        assert share.steps / 20_000 == pytest.approx(weights[name], abs=0.012)


def interleaved(every: int) -> Interleaved:
    texts = Mixture({"text/en": lengths(90)}, weights={"text/en": 1.0}, size=Size(tokens=200), seed=1)
    return Interleaved(mixture(), texts, every=every)


@pytest.mark.parametrize("every", [1, 3])
def test_a_text_batch_after_every_so_many_leaves_the_tasks_as_they_were(every: int) -> None:
    alone, both = mixture(), interleaved(every)
    steps = both.steps(2)
    assert steps == alone.steps(2) + alone.steps(2) // every
    assert both.steps(2, at_most=10) == 10 + 10 // every
    drawn = [both.draw(step) for step in range(steps)]
    assert [place for place, (name, _) in enumerate(drawn) if name == "text/en"] == list(
        range(every, steps, every + 1)
    )
    kept = [draw for draw in drawn if draw.task != "text/en"]
    for step, (name, rows) in enumerate(kept):
        expected = alone.draw(step)
        assert name == expected.task
        np.testing.assert_array_equal(rows, expected.rows)
    report = both.report(steps)
    assert sum(share.steps for share in report.values()) == steps
    assert sum(share.probability for share in report.values()) == pytest.approx(1.0)
    assert report["text/en"].steps == steps // (every + 1)
