"""What a metric writes into a submission, reads back from one, and keeps of an item to draw it again."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from hpc.errors import UserError
from stilts.tasks import metrics
from stilts.tasks.metrics import Predictions, Submitted, _questions, _tagging

POOL = {
    "id": ["f1/e1", "f2/e2", "/e3", "f4/"],
    "english": ["b", "a", "c", ""],
    "foreign": ["x", "y", "", "z"],
}
TAGGED = {"id": ["s1", "s2"], "tags": [["B-PER", "I-PER", "O"], ["O"]]}
ASKED = {"id": ["q1", "q2"], "answers": [[{"text": "red"}], [{"text": "blue house"}, {"text": "house"}]]}
LABELLED = {"id": ["1", "2", "3"], "label": [0, 1, 2]}


def given(examples: dict[str, list[Any]], values: Sequence[Any], labels: Sequence[str] = ()) -> Submitted:
    predictions = Predictions(examples=examples, values=values, confidences=None, language="de")
    return Submitted(predictions=predictions, labels=labels, name="test-de")


CASES = {
    "accuracy": (given(LABELLED, [2, None, 1], ("no", "yes", "maybe")), "maybe\n\nyes\n"),
    "nearest": (given(POOL, [(0, 3), (1, 0)]), "3\n0\n3\n-1\n"),
    "pairs": (given(POOL, [(1, 0), (2, 3)]), "f1\te2\nf4\te3\n"),
    "entities": (given(TAGGED, [["O", "B-LOC", "O"], None]), "O\nB-LOC\nO\n\nO\n"),
    "pos": (given(TAGGED, [["VERB", "NOUN", "X"], None]), "VERB\nNOUN\nX\n\nX\n"),
    "squad": (given(ASKED, ["rot", None]), '{\n "q1": "rot",\n "q2": ""\n}\n'),
}


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("nearest",)])
def test_what_is_written(name: str) -> None:
    submitted, text = CASES[name]
    write = metrics.load(name).submission
    assert write is not None
    assert write(submitted) == text


def test_the_nearest_are_in_the_order_of_the_english_text() -> None:
    """Sorted: the fourth, which is empty, the second, the first, the third."""
    write = metrics.load("nearest").submission
    assert write is not None
    assert write(CASES["nearest"][0]) == "-1\n0\n3\n-1\n"


READ = {
    "accuracy": (LABELLED, "maybe\n\nyes\n", [2, None, 1]),
    "nearest": (POOL, "-1\n0\n3\n2\n", [(1, 0), (0, 3), (2, 2)]),
    "pairs": (POOL, "f1\te2\nf4\te3\n", [(1, 0), (2, 3)]),
    "entities": (TAGGED, "O\nB-LOC\nO\n\nO\n", [["O", "B-LOC", "O"], ["O"]]),
    "pos": (TAGGED, "VERB\nNOUN\nX\n\nNOUN\n\n", [["VERB", "NOUN", "X"], ["NOUN"]]),
    "squad": (ASKED, '{"q2": "", "q1": "rot"}', ["rot", ""]),
    "mlqa": (ASKED, '{"q2": "", "q1": "rot"}', ["rot", ""]),
}


@pytest.mark.parametrize("name", READ)
def test_what_is_read_back(name: str) -> None:
    examples, text, values = READ[name]
    read = metrics.load(name).submitted
    assert read is not None
    assert read(text, given(examples, [], ("no", "yes", "maybe"))) == values


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("accuracy", "no\nyes\n", "2 lines for 3 examples"),
        ("accuracy", "no\nyes\nmaybe", "cut short: the last line has no end"),
        ("accuracy", "no\nperhaps\nno\n", "line 2: 'perhaps' is none of no, yes, maybe"),
        ("nearest", "0\n1\n2\n", "3 lines for 4 examples"),
        ("nearest", "0\n1\n2\n4\n", "line 4: '4' is no number of a sentence below 4"),
        ("nearest", "0\n-2\n2\n3\n", "line 2: '-2' is no number of a sentence below 4"),
        ("nearest", "0\n1\nx\n3\n", "line 3: 'x' is no number of a sentence below 4"),
        ("pairs", "f1\te1\nf9\te1\n", "line 2: 'f9\\te1' is no foreign id, tab, English id of the data"),
        ("pairs", "f1\te9\n", "line 1: 'f1\\te9' is no foreign id, tab, English id of the data"),
        ("pairs", "f1\te1\nf2\te1\nf1\te1\n", "line 3: the pair stands there twice"),
        ("pairs", "f1 e1\n", "line 1: 'f1 e1' is no foreign id"),
        ("pos", "A\nB\n\n\nC\n", "line 3: a tag is missing in sentence 1 of 2"),
        ("pos", "A\nB\nC\n\n", "line 5: a tag is missing in sentence 2 of 2"),
        ("pos", "A\nB\nC\nD\n\n", "line 4: an empty line is expected after sentence 1"),
        ("pos", "A\nB\nC\n\nD\n\nE\n", "line 6: more tags than the 2 sentences have words"),
        ("pos", "A\nB\nC\n\nD\nE\n", "line 6: more tags than the 2 sentences have words"),
        ("squad", '{"q1": "a"}', "no answer to 'q2'"),
        ("squad", "{}", "no answer to 'q1' and 1 more"),
        ("squad", '{"q1": "a", "q2": "b", "q3": "c"}', "unknown question 'q3'"),
        ("squad", '{"q1": "a", "q2": 5}', "one JSON object of question ids and answers is expected"),
        ("squad", '["a"]', "one JSON object of question ids and answers is expected"),
    ],
)
def test_what_does_not_fit_is_refused_by_line(name: str, text: str, message: str) -> None:
    read = metrics.load(name).submitted
    assert read is not None
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        read(text, given(READ[name][0], [], ("no", "yes", "maybe")))
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize(
    ("name", "submitted", "message"),
    [
        ("pos", given(TAGGED, [["A", "B"], ["C"]]), "test-de s1: 2 tags for 3 words"),
        ("pairs", given(POOL, [(0, 2)]), "test-de: 'f1/e1' is no pair of sentence ids"),
        ("squad", given(ASKED | {"id": ["q1", "q1"]}, ["", ""]), "test-de: the data repeat an id, and"),
    ],
)
def test_what_cannot_be_written_is_refused(name: str, submitted: Submitted, message: str) -> None:
    write = metrics.load(name).submission
    assert write is not None
    with pytest.raises(UserError) as raised:
        write(submitted)
    assert str(raised.value).startswith(message)
    assert raised.value.code == 3


def test_letters_of_any_script_are_written_as_they_are() -> None:
    write = metrics.load("squad").submission
    assert write is not None
    text = write(given(ASKED, ["das große Haus", "дом"]))
    assert "große" in text
    assert json.loads(text) == {"q1": "das große Haus", "q2": "дом"}


def contributions(name: str, language: str = "en", **stored: list[Any]) -> list[list[float]]:
    of = metrics.load(name).contributions
    assert of is not None
    return np.asarray(of(stored, language)).tolist()


def test_what_an_item_contributes() -> None:
    assert contributions("accuracy", score=[1.0, 0.0]) == [[1], [0]]
    tags = {"gold": ["B-PER I-PER O", "O", "B-LOC"], "pred": ["B-PER I-PER O", "B-LOC", None]}
    # Right, predicted, gold: chunks of entities, tags one by one, runs of parts of speech.
    assert contributions("entities", **tags) == [[1, 1, 1], [0, 1, 0], [0, 0, 1]]
    assert contributions("tokens", gold=["A B", "C"], pred=["A C", "C"]) == [[1, 2, 2], [1, 1, 1]]
    assert contributions("pos", gold=["N N V"], pred=["N N N"]) == [[0, 1, 2]]
    mined = {"gold": ["e1", None, "e2"], "pred": ["e1", "e3", None], "score": [1.0, 0.0, 0.0]}
    assert contributions("pairs", **mined) == [[1, 1, 1], [0, 1, 0], [0, 0, 1]]


def test_what_an_answer_contributes() -> None:
    """The mean of exact match and F1, by the rules of the data set and the language."""
    asked = {"gold": ["red house | house", "blue", None], "pred": ["the red house", "a blue sky", None]}
    assert contributions("squad", **asked) == [[1.0], [pytest.approx((0 + 2 / 3) / 2, abs=1e-6)], [0.0]]
    assert contributions("squad_v2", gold=[None, None], pred=["", "x"]) == [[1.0], [0.0]]
    assert contributions("mlqa", "de", gold=["Haus"], pred=["das Haus"]) == [[1.0]]
    assert contributions("mlqa", "es", gold=["Haus"], pred=["das Haus"]) == [[pytest.approx((0 + 2 / 3) / 2)]]


def test_scores_by_example_are_small_numbers() -> None:
    """They are stored by the million."""
    for name, examples, values in (
        ("accuracy", LABELLED, [0, 1, 1]),
        ("accuracy_f1", {"label": [0, 1, 1]}, [0, 1, 0]),
        ("nearest", POOL, [(0, 0), (1, 1)]),
        ("pairs", POOL, [(0, 0)]),
        ("pos", TAGGED, [["B-PER", "I-PER", "O"], ["O"]]),
        ("squad", ASKED, ["red", "house"]),
    ):
        found = metrics.score(name, examples=examples, predictions=values, language="de").by_example
        assert found.dtype == np.float32, name
        assert 0 < found.sum() <= len(found)
    found = metrics.score("accuracy_f1", examples={"label": [0, 1, 1]}, predictions=[0, 1, 0], language="en")
    assert found.by_example.tolist() == [1, 1, 0]


@pytest.mark.parametrize("name", ["accuracy", "accuracy_f1"])
def test_a_share_of_a_large_set_is_not_rounded(name: str) -> None:
    """In 32 bits a mean over many examples would lose its last digits."""
    count = 3 * 2**20 + 1
    gold = [1] * count
    found = metrics.score(name, examples={"label": gold}, predictions=[1] * (count - 1) + [0], language="en")
    assert found.values["accuracy"] == 100 * (count - 1) / count


@pytest.mark.parametrize("scheme", ["entities", "pos", "tokens"])
def test_a_metric_of_tags_is_complete(scheme: _tagging.Scheme) -> None:
    """Made anew: those of the files are made once, when they are imported."""
    made = _tagging.metric(scheme, outside="O")
    assert made.reports == (("accuracy",) if scheme == "tokens" else ("f1", "accuracy"))
    assert made.counted == made.reports[:1]
    assert made.resampled == "f1"
    predictions = Predictions(examples=TAGGED, values=TAGGED["tags"], confidences=None, language="en")
    assert dict(made.score(predictions).values) == dict.fromkeys(made.reports, 100.0)
    assert made.contributions is not None
    whole = made.contributions({"gold": ["B-PER I-PER"], "pred": ["B-PER I-PER"], "score": [1.0]}, "en")
    assert whole.tolist() == {"entities": [[1, 1, 1]], "pos": [[2, 2, 2]], "tokens": [[2, 2, 2]]}[scheme]
    assert whole.dtype == float
    assert made.submission is not None
    assert made.submission(given(TAGGED, [None, ["X"]])) == "O\nO\nO\n\nX\n"
    assert made.submitted is not None
    assert made.submitted("A\nB\nC\n\nD\n", given(TAGGED, [])) == [["A", "B", "C"], ["D"]]


@pytest.mark.parametrize("rules", ["squad", "squad_v2", "mlqa"])
def test_a_metric_of_answers_is_complete(rules: _questions.Rules) -> None:
    made = _questions.metric(rules)
    assert made.reports == made.counted == ("em", "f1")
    assert (made.resampled, made.suffix) == ("mean", "json")
    assert made.allows == (("unanswered",) if rules == "squad_v2" else ())
    predictions = Predictions(examples=ASKED, values=["red", "house"], confidences=None, language="en")
    assert dict(made.score(predictions).values) == {"em": 100.0, "f1": 100.0}
    assert made.contributions is not None
    assert made.contributions({"gold": ["a red"], "pred": ["red"]}, "en").tolist() == [[1.0]]
    assert made.submission is not None
    assert made.submitted is not None
    assert made.submitted(made.submission(given(ASKED, ["a", "b"])), given(ASKED, [])) == ["a", "b"]


def test_ids_may_hold_what_parts_them() -> None:
    pool = {"id": ["f1/e/1"], "english": ["a"], "foreign": ["x"]}
    made = metrics.load("pairs")
    assert made.submission is not None
    assert made.submitted is not None
    assert made.submission(given(pool, [(0, 0)])) == "f1\te/1\n"
    assert made.submitted("f1\te/1\n", given(pool, [])) == [(0, 0)]
    with pytest.raises(ValueError, match="is no foreign id"):
        made.submitted("f1\te/1\tx\n", given(pool, []))
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        made.submitted("x" * 200 + "\n", given(pool, []))
    assert repr("x" * 80) in str(raised.value)


def test_scores_of_an_item_are_fractions_whatever_they_were_stored_as() -> None:
    assert metrics.scores_of({"score": [1, 0]}, "en").dtype == float
    assert metrics.scores_of({"score": [1, 0]}, "en").tolist() == [[1.0], [0.0]]


def test_answers_replace_answers_and_nothing_else() -> None:
    first = given(ASKED, ["a", "b"], ("x",))
    other = first.answered(["c", "d"])
    assert (other.predictions.values, other.labels, other.name) == (["c", "d"], ("x",), "test-de")
    assert other.predictions.examples is first.predictions.examples
    assert first.predictions.values == ["a", "b"]


@pytest.mark.parametrize(
    ("values", "missing"), [([], 2), ([(0, 2)], 1), ([(2, 2)], 2), ([(0, 0), (1, 1)], 0)]
)
def test_sentences_without_a_nearest_one_are_counted(values: list[tuple[int, int]], missing: int) -> None:
    """Of those with a translation."""
    assert metrics.load("nearest").score(given(POOL, values).predictions).missing == missing
