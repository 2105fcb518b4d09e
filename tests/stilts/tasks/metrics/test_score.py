import pytest
from hypothesis import given, strategies as st
from sklearn.metrics import accuracy_score, f1_score

from hpc.errors import UserError
from stilts import tasks
from stilts.evaluate.averages import COUNTED, FINE_TUNED, GROUPS, language_mean, summarise, task_score
from stilts.tasks import metrics
from stilts.tasks.metrics.pairs import pair_f1

labels = st.lists(
    st.tuples(st.integers(0, 2), st.one_of(st.none(), st.integers(0, 2))), min_size=1, max_size=20
)


@given(labels)
def test_accuracy_is_the_share_of_equal_labels(pairs) -> None:
    gold, predicted = [g for g, _ in pairs], [p for _, p in pairs]
    scored = metrics.score("accuracy", examples={"label": gold}, predictions=predicted, language="sw")
    right = [g == p for g, p in pairs]
    assert scored.values["accuracy"] == pytest.approx(100 * sum(right) / len(right), rel=1e-5)
    assert scored.missing == predicted.count(None)
    assert scored.by_example.tolist() == right


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=20))
def test_paraphrases_are_scored_as_scikit_learn_does(pairs) -> None:
    gold, predicted = [g for g, _ in pairs], [p for _, p in pairs]
    scored = metrics.score("accuracy_f1", examples={"label": gold}, predictions=predicted, language="en")
    assert scored.values["f1"] == pytest.approx(100 * f1_score(gold, predicted, zero_division=0))
    assert scored.values["accuracy"] == pytest.approx(100 * accuracy_score(gold, predicted), rel=1e-6)


def test_an_unanswered_pair_is_wrong_and_found_nothing() -> None:
    scored = metrics.score(
        "accuracy_f1", examples={"label": [1, 1, 0]}, predictions=[1, None, None], language="en"
    )
    assert scored.missing == 2
    assert scored.values == pytest.approx({"f1": 100 * 2 / 3, "accuracy": 100 / 3})
    assert tasks.load("qqp").metrics == ("f1", "accuracy")


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(UserError, match="Did you mean 'accuracy'"):
        metrics.score("acuracy", examples={}, predictions=[], language="en")
    with pytest.raises(ValueError, match="no examples"):
        metrics.score("accuracy", examples={"label": []}, predictions=[], language="en")
    with pytest.raises(ValueError, match="1 predictions for 2 examples"):
        metrics.score("accuracy", examples={"label": [0, 1]}, predictions=[0], language="en")
    with pytest.raises(ValueError, match="no examples"):
        metrics.score("nearest", examples={"english": [], "foreign": []}, predictions=[], language="de")


POOL = {"english": ["a", "b", "c", ""], "foreign": ["x", "y", "", "z"]}


def test_mined_pairs_are_scored_as_sets() -> None:
    scored = metrics.score("pairs", examples=POOL, predictions=[(0, 0), (2, 1), (0, 0)], language="de")
    assert scored.values == {"f1": 50}
    assert scored.by_example.tolist() == [1, 0]
    assert metrics.score("pairs", examples=POOL, predictions=[], language="de").values == {"f1": 0}
    assert pair_f1({(0, 0), (1, 1)}, {(0, 0), (1, 1)}) == 100


def test_nearest_neighbours_are_asked_in_english() -> None:
    scored = metrics.score("nearest", examples=POOL, predictions=[(0, 0), (1, 3)], language="de")
    assert scored.values == {"accuracy": 50}
    scored = metrics.score("nearest", examples=POOL, predictions=[(1, 1)], language="de")
    assert (scored.values, scored.missing) == ({"accuracy": 50}, 1)


LANGUAGES = dict.fromkeys(COUNTED, ("en", "de"))


def full(value: float = 60) -> dict:
    return {
        task: {metric: {"en": value + 10, "de": value - 10} for metric in metrics_of}
        for task, metrics_of in COUNTED.items()
    }


def test_the_groups_hold_all_nine_tasks_once() -> None:
    assert sorted(task for group in GROUPS.values() for task in group) == sorted(COUNTED)
    assert len(COUNTED) == 9
    assert len(FINE_TUNED) == 7


def test_means_go_over_languages_then_metrics_then_tasks() -> None:
    scores = full()
    scores["xquad"] = {"em": {"en": 50, "de": 30}, "f1": {"en": 70, "de": 60}}
    scores["tatoeba"] = {"accuracy": {"en": 0, "de": 3}}
    summary = summarise(scores, languages=LANGUAGES)
    assert summary.tasks["xquad"] == pytest.approx((40 + 65) / 2)
    assert summary.groups["qa"] == pytest.approx((52.5 + 60 + 60) / 3)
    assert summary.groups["retrieval"] == pytest.approx((60 + 1.5) / 2)
    assert summary.overall == pytest.approx((7 * 60 + 52.5 + 1.5) / 9)
    assert summary.fine_tuned == pytest.approx((6 * 60 + 52.5) / 7)
    assert summary.missing == ()


def test_nothing_is_averaged_over_what_is_missing() -> None:
    scores = full()
    del scores["mlqa"]["em"]["de"]
    summary = summarise(scores, languages=LANGUAGES)
    assert summary.tasks["mlqa"] is None
    assert summary.groups == {"classification": 60, "tagging": 60, "qa": None, "retrieval": 60}
    assert summary.overall is None
    assert summary.fine_tuned is None
    assert summary.missing == ("mlqa em de",)


def test_retrieval_may_be_missing_from_the_mean_of_seven() -> None:
    scores = full()
    del scores["bucc2018"]
    summary = summarise(scores, languages=LANGUAGES)
    assert summary.fine_tuned == pytest.approx(60)
    assert summary.overall is None
    assert summary.missing == ("bucc2018 f1 en", "bucc2018 f1 de")


def test_a_mean_needs_every_language_and_ignores_others() -> None:
    assert language_mean({"en": 1, "de": 3, "fr": 100}, ("en", "de")) == 2
    assert language_mean({"en": 1}, ("en", "de")) is None
    assert language_mean({}, ()) is None
    assert task_score({"em": {"en": 1}}, metrics=("em", "f1"), languages=("en",)) is None


def test_published_cells_average_to_the_published_mean() -> None:
    # XLM-R Large's own dev row: the groups' sizes weigh as in (2c + 2t + 3q + 2r) / 9.
    row = {
        "xnli": 80.1, "pawsx": 86.5, "udpos": 75.7, "panx": 62.8, "xquad": (76.1, 60.0), "mlqa": (70.1, 51.5),
        "tydiqa": (65.6, 48.2), "bucc2018": 71.5, "tatoeba": 31.0,
    }  # fmt: skip
    scores = {
        task: {
            metric: {"en": value[1 - n] if isinstance(value, tuple) else value}
            for n, metric in enumerate(COUNTED[task])
        }
        for task, value in row.items()
    }
    summary = summarise(scores, languages=dict.fromkeys(COUNTED, ("en",)))
    assert summary.overall == pytest.approx(65.9, abs=0.05)
    assert summary.tasks["tydiqa"] == pytest.approx((65.6 + 48.2) / 2)
