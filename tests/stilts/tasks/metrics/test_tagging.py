import warnings

import pytest
from hypothesis import given, strategies as st

from stilts.tasks import metrics
from stilts.tasks.metrics._tagging import chunk_f1, chunks

POS = ["NOUN", "VERB", "CCONJ", "SCONJ", "SYM", "X", "PUNCT"]
IOB = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


def sentences(tags: list[str]) -> st.SearchStrategy:
    """Pairs of gold and predicted sentences of equal lengths."""
    one = st.integers(1, 8).flatmap(
        lambda n: st.tuples(*[st.lists(st.sampled_from(tags), min_size=n, max_size=n)] * 2)
    )
    return st.lists(one, min_size=1, max_size=5)


def runs(tags: list[str]) -> set[tuple[int, int, str]]:
    """Chunks of bare tags: maximal runs, but every SCONJ and SYM alone."""
    found, start = [], 0
    for place in range(1, len(tags) + 1):
        if place == len(tags) or tags[place] != tags[start] or tags[start] in ("SCONJ", "SYM"):
            found.append((start, place, tags[start]))
            start = place
    return set(found)


def entities(tags: list[str]) -> set[tuple[int, int, str]]:
    """Entities of IOB2 tags, an I- without its beginning opening one, as conlleval reads them."""
    found, start, kind = set(), 0, ""
    for place, tag in enumerate([*tags, "O"]):
        prefix, _, name = tag.partition("-")
        if kind and (prefix != "I" or name != kind):
            found.add((start, place, kind))
            kind = ""
        if prefix != "O" and not kind:
            start, kind = place, name
    return found


def f1_of(chunks, gold, predicted) -> float:
    wanted = {(n, *chunk) for n, tags in enumerate(gold) for chunk in chunks(tags)}
    found = {(n, *chunk) for n, tags in enumerate(predicted) for chunk in chunks(tags)}
    right = len(wanted & found)
    return 200 * right / (len(wanted) + len(found)) if right else 0.0


@given(sentences(POS))
def test_parts_of_speech_are_chunked_as_xtreme_does(pairs) -> None:
    gold, predicted = [g for g, _ in pairs], [p for _, p in pairs]
    assert chunk_f1(gold, predicted, scheme="pos") == pytest.approx(f1_of(runs, gold, predicted))


@given(sentences(IOB))
def test_entities_are_what_conlleval_counts(pairs) -> None:
    gold, predicted = [g for g, _ in pairs], [p for _, p in pairs]
    assert chunk_f1(gold, predicted, scheme="entities") == pytest.approx(f1_of(entities, gold, predicted))


@pytest.fixture(scope="module")
def seqeval():
    """The library as a second opinion, where it is installed."""
    return pytest.importorskip("seqeval.metrics")


@given(pairs=sentences(IOB))
def test_entities_equal_seqeval(seqeval, pairs) -> None:
    gold, predicted = [g for g, _ in pairs], [p for _, p in pairs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = 100 * float(seqeval.f1_score(gold, predicted, average="micro", zero_division=0))
    assert chunk_f1(gold, predicted, scheme="entities") == expected


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        (
            "B-PER I-PER E-PER I-PER S-LOC I-LOC O E-LOC . I-A",
            {("PER", 0, 2), ("PER", 3, 3), ("LOC", 4, 4), ("LOC", 5, 5), ("LOC", 7, 7), ("A", 9, 9)},
        ),
        ("B-A B-A I-B", {("A", 0, 0), ("A", 1, 1), ("B", 2, 2)}),
        ("B-X-Y I-X-Y", {("X-Y", 0, 1)}),
        ("BX IX O B I", {("X", 0, 1), ("_", 3, 4)}),
        ("O O", set()),
        ("", set()),
    ],
)
def test_where_chunks_begin_and_end(tags: str, found: set[tuple[str, int, int]]) -> None:
    """By conlleval's rules, every prefix."""
    assert chunks(tags.split()) == found


def test_bare_seqeval_would_take_two_conjunctions_for_one(seqeval) -> None:
    gold, predicted = [["CCONJ", "NOUN"]], [["SCONJ", "NOUN"]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert seqeval.f1_score(gold, predicted) == 1.0
    assert chunk_f1(gold, predicted, scheme="pos") == 50


def test_chunks_and_tokens_are_different_scores() -> None:
    examples = {"tags": [["NOUN", "NOUN", "VERB", "PUNCT"]]}
    scored = metrics.score(
        "pos", examples=examples, predictions=[["NOUN", "X", "VERB", "PUNCT"]], language="de"
    )
    assert scored.values == {"f1": pytest.approx(200 * 2 / 7), "accuracy": 75}
    assert scored.by_example.tolist() == [0.75]


def test_entities_score_nothing_when_there_are_none(recwarn: pytest.WarningsRecorder) -> None:
    examples = {"tags": [["O", "O"]]}
    scored = metrics.score("entities", examples=examples, predictions=[["O", "O"]], language="en")
    assert scored.values == {"f1": 0, "accuracy": 100}
    assert not recwarn.list


def test_categories_are_scored_by_token() -> None:
    scored = metrics.score(
        "tokens", examples={"tags": [["N", "S\\N"], ["N"]]}, predictions=[["N", "N"], ["N"]], language="en"
    )
    assert scored.values == {"accuracy": pytest.approx(200 / 3)}


def test_a_missing_sentence_is_wrong_throughout() -> None:
    examples = {"tags": [["O", "B-PER"], ["O"]]}
    scored = metrics.score("entities", examples=examples, predictions=[["O", "B-PER"], None], language="en")
    assert scored.values == {"f1": 100, "accuracy": pytest.approx(200 / 3)}
    assert (scored.by_example.tolist(), scored.missing) == ([1, 0], 1)


def test_a_sentence_with_the_wrong_number_of_tags_is_an_error() -> None:
    with pytest.raises(ValueError, match="sentence 0 has 2 words but 1 predicted tags"):
        metrics.score("pos", examples={"tags": [["X", "X"]]}, predictions=[["X"]], language="en")
