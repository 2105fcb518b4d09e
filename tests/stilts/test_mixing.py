import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from stilts.mixing import Mixture


def lengths(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(5, 40, count).astype(np.int32)


def mixture(seed: int = 1, cap: int = 300, **more: int) -> Mixture:
    sizes = {"mnli": 1000, "squad_v1": 300, "ccg": 40} | more
    return Mixture({n: lengths(s) for n, s in sizes.items()}, tokens_per_batch=200, seed=seed, cap=cap)


def test_probabilities_are_proportional_up_to_the_cap() -> None:
    assert mixture().probabilities == {"mnli": 300 / 640, "squad_v1": 300 / 640, "ccg": 40 / 640}
    published = {
        "anli_plus": 1_104_934, "mnli": 392_702, "qqp": 363_846, "squad_v1": 87_599, "squad_v2": 130_319,
        "hellaswag": 39_905, "ccg": 38_015, "cosmosqa": 25_262, "commonsenseqa": 9_741,
    }  # fmt: skip
    full = Mixture(
        {name: np.ones(size, np.int32) for name, size in published.items()}, tokens_per_batch=9, seed=0
    )
    shares = {name: round(100 * share, 1) for name, share in full.probabilities.items()}
    assert shares == {
        "anli_plus": 18.1, "mnli": 18.1, "qqp": 18.1, "squad_v1": 12.1, "squad_v2": 18.0, "hellaswag": 5.5,
        "ccg": 5.3, "cosmosqa": 3.5, "commonsenseqa": 1.3,
    }  # fmt: skip


@settings(max_examples=20, deadline=None)
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
        tokens_per_batch=200,
        seed=1,
        cap=300,
    )
    assert order(turned) == order(mixture(1))


def test_one_task_alone_goes_through_its_data_in_passes() -> None:
    alone = Mixture({"mnli": lengths(100)}, tokens_per_batch=200, seed=0)
    steps = alone.steps(2)
    rows = np.concatenate([alone.draw(step).rows for step in range(steps)])
    assert abs(len(rows) - 200) <= 20
    assert alone.steps(0.001) == 1


def test_steps_are_passes_over_the_capped_mixture() -> None:
    count = {
        name: Mixture({name: lengths(n)}, tokens_per_batch=200, seed=1).steps(1)
        for name, n in (("mnli", 1000), ("ccg", 40))
    }
    mixed = Mixture({"mnli": lengths(1000), "ccg": lengths(40)}, tokens_per_batch=200, seed=1, cap=250)
    assert mixed.steps(3) == pytest.approx(3 * (count["mnli"] / 4 + count["ccg"]), abs=2)


def test_a_mixture_of_nothing_is_refused() -> None:
    for tasks in ({}, {"mnli": np.zeros(0, np.int32)}):
        with pytest.raises(ValueError, match="every task needs items"):
            Mixture(tasks, tokens_per_batch=9, seed=0)
