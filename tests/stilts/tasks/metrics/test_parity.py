"""Every scorer against an implementation that shares nothing with it: a library, or the rules written again.

The second writings take the long way round on purpose: letters one by one, sets of positions, loops.
"""

import re
import string
import unicodedata
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from sklearn.metrics import accuracy_score

from stilts.tasks import metrics
from stilts.tasks.metrics._questions import best_no_answer_threshold, score_answers

many = settings(max_examples=1000)


def same(value: float) -> Any:
    return pytest.approx(value, rel=0, abs=1e-9)


def scored(name: str, examples: dict, predictions: list, language: str = "xx", **more) -> dict[str, float]:
    return dict(
        metrics.score(name, examples=examples, predictions=predictions, language=language, **more).values
    )


label_pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60)


@many
@given(label_pairs)
def test_accuracy_equals_scikit_learn(pairs) -> None:
    gold, predicted = [g for g, _ in pairs], [p for _, p in pairs]
    expected = 100 * accuracy_score(gold, predicted)
    assert scored("accuracy", {"label": gold}, predicted) == {"accuracy": same(expected)}


@many
@given(label_pairs)
def test_one_more_right_answer_never_lowers_accuracy(pairs) -> None:
    gold, predicted = [g for g, _ in pairs], [p for _, p in pairs]
    before = scored("accuracy", {"label": gold}, predicted)["accuracy"]
    assert scored("accuracy", {"label": [*gold, 3]}, [*predicted, 3])["accuracy"] >= before


POS = [
    *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT"),
    *("SCONJ", "SYM", "VERB", "X", "_"),
]
ENTITIES = ["O", "O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG"]


def sentences(tags: list[str]) -> st.SearchStrategy:
    """Gold and predicted tags of a few sentences; few distinct ones, so that runs are long."""
    some = st.lists(st.sampled_from(tags), min_size=1, max_size=4)
    words = some.flatmap(
        lambda few: st.lists(st.tuples(*[st.sampled_from(few)] * 2), min_size=1, max_size=12)
    )
    return st.lists(words, min_size=1, max_size=4)


def chunks_of_old(sequences: list[list[str]]) -> set[tuple[str, int, int]]:
    """As seqeval 0.0.12: the first letter is the prefix, what stands behind the last dash the type."""
    flat = [tag for sequence in sequences for tag in [*sequence, "O"]]
    found, begin = set(), 0
    before, before_type = "O", ""
    for place, whole in enumerate([*flat, "O"]):
        prefix, kind = whole[0], whole.split("-")[-1]
        changed = before_type != kind
        ended = before in "ES" or (before in "BI" and prefix in "BSO") or (before not in "O." and changed)
        started = prefix in "BS" or (before in "ESO" and prefix in "EI") or (prefix not in "O." and changed)
        if ended:
            found.add((before_type, begin, place - 1))
        if started:
            begin = place
        before, before_type = prefix, kind
    return found


def f1_of_old(gold: list[list[str]], predicted: list[list[str]]) -> float:
    wanted, found = chunks_of_old(gold), chunks_of_old(predicted)
    right = len(wanted & found)
    precision, recall = right / len(found) if found else 0, right / len(wanted) if wanted else 0
    return 100 * 2 * precision * recall / (precision + recall) if right else 0.0


def check_tags(name: str, pairs: list[list[tuple[str, str]]]) -> None:
    gold = [[g for g, _ in sentence] for sentence in pairs]
    predicted = [[p for _, p in sentence] for sentence in pairs]
    flat = [[tag for sentence in side for tag in sentence] for side in (gold, predicted)]
    expected = {"f1": same(f1_of_old(gold, predicted)), "accuracy": same(100 * accuracy_score(*flat))}
    assert scored(name, {"tags": gold}, predicted) == expected
    backwards = scored(name, {"tags": gold[::-1]}, predicted[::-1])
    assert backwards == expected


@many
@given(sentences(POS))
def test_parts_of_speech_equal_the_old_seqeval(pairs) -> None:
    check_tags("pos", pairs)


@many
@given(sentences(ENTITIES))
def test_entities_equal_the_old_seqeval(pairs) -> None:
    check_tags("entities", pairs)


def test_a_missing_sentence_predicts_no_chunk_of_its_own() -> None:
    gold = [["NOUN", "NOUN", "VERB"], ["NOUN"]]
    assert scored("pos", {"tags": gold}, [gold[0], None])["f1"] == same(200 * 2 / (2 + 3))


WORDS = {
    "squad": "The a an theatre A. e\u0301 $5 上海 上海市 กรุงเทพ Paris! ‘no’ مصر, न। 👍🏽 X-Y",
    "en": "The a An theatre A. “cat” cat $5 € the-cat 上海",
    "es": "El la LAS unas perro ¿perro? Niño ella el.",
    "de": "Die der dem dieser „Haus“ haus. Straße eines, STRASSE",
    "ar": "القطة قطة ال خيال، من؟ باريس (باريس) الله",
    "hi": "दिल्ली दिल्ली। में है the १९४७ ॥",
    "vi": "của là Những cáigì mèo, con của. la\u0300",
    "zh": "上海 上海， 2008年 the 《红楼梦》 㐀x Olympic 約翰·史密斯 𠀀",
}
ARTICLES = {
    "squad": "a an the",
    "en": "a an the",
    "es": "un una unos unas el la los las",
    "de": "ein eine einen einem eines einer der die das den dem des",
    "vi": "của là cái chiếc những",
}
rules_and_answers = st.sampled_from(sorted(WORDS)).flatmap(
    lambda rules: st.tuples(
        st.just(rules),
        answer_of(rules) | st.none(),
        st.lists(answer_of(rules), min_size=1, max_size=3),
    )
)


def answer_of(rules: str) -> st.SearchStrategy[str]:
    letters = st.text(st.sampled_from(sorted(set(WORDS[rules]))), max_size=5)
    one = st.sampled_from(WORDS[rules].split()) | letters
    return st.lists(one, max_size=4).flatmap(
        lambda some: st.sampled_from([" ", "  ", ""]).map(lambda s: s.join(some))
    )


def normalised(text: str, rules: str) -> list[str]:
    letters = []
    for letter in text.lower():
        is_mark = letter in string.punctuation or (
            rules != "squad" and unicodedata.category(letter)[0] == "P"
        )
        letters.append("" if is_mark else letter)
    text = "".join(letters)
    if rules in ARTICLES:
        # A word, as \b sees it, is a run of letters, digits and underscores.
        parts = re.split(r"(\w+)", text)
        text = "".join(" " if part in ARTICLES[rules].split() else part for part in parts)
    if rules == "ar":
        text = " ".join(text.split("ال"))
    if rules == "zh":
        text = "".join(f" {letter} " if 0x4E00 <= ord(letter) <= 0x9FA5 else letter for letter in text)
    return text.split()


def overlap(found: list[str], wanted: list[str]) -> Fraction:
    left, shared = list(wanted), 0
    for word in found:
        if word in left:
            left.remove(word)
            shared += 1
    if not shared:
        return Fraction(0)
    precision, recall = Fraction(shared, len(found)), Fraction(shared, len(wanted))
    return 2 * precision * recall / (precision + recall)


@many
@given(rules_and_answers)
def test_answers_equal_the_rules_written_again(case) -> None:
    rules, prediction, golds = case
    examples = {"answers": [[{"text": gold, "start": 0} for gold in golds]]}
    em, f1 = 0, Fraction(0)
    if prediction is not None:
        found = normalised(prediction, rules)
        em = max(found == normalised(gold, rules) for gold in golds)
        f1 = max(overlap(found, normalised(gold, rules)) for gold in golds)
    name, language = ("squad", "th") if rules == "squad" else ("mlqa", rules)
    expected = {"em": same(100 * em), "f1": same(100 * float(f1))}
    assert scored(name, examples, [prediction], language) == expected


def of_version_2(prediction: str, golds: list[str]) -> tuple[int, Fraction]:
    found = normalised(prediction, "squad")
    wanted = [words for words in (normalised(gold, "squad") for gold in golds) if words] or [[]]
    scores = [
        Fraction(int(found == words)) if not found or not words else overlap(found, words) for words in wanted
    ]
    return max(int(found == words) for words in wanted), max(scores)


questions = st.lists(
    st.tuples(answer_of("squad"), st.lists(answer_of("squad"), max_size=3)), min_size=1, max_size=8
)


@many
@given(questions)
def test_version_2_equals_the_rules_written_again(rows) -> None:
    examples = {"answers": [[{"text": gold, "start": 0} for gold in golds] for _, golds in rows]}
    each = [of_version_2(prediction, golds) for prediction, golds in rows]
    em, f1 = (100 * float(sum(column, Fraction(0)) / len(rows)) for column in zip(*each, strict=True))
    assert scored("squad_v2", examples, [p for p, _ in rows], "en") == {"em": same(em), "f1": same(f1)}
    turned = {"answers": examples["answers"][::-1]}
    assert scored("squad_v2", turned, [p for p, _ in rows][::-1], "en") == {"em": same(em), "f1": same(f1)}


@many
@given(
    st.lists(
        st.tuples(st.sampled_from(["x", "x y", "z"]), st.sampled_from([[], ["x"], ["x y", "q"]])),
        min_size=1,
        max_size=10,
    ),
    st.randoms(),
)
def test_the_no_answer_threshold_equals_the_published_search(rows, random) -> None:
    """The published search walks up the probabilities of "no answer" and counts what each answer adds."""
    leads = random.sample(range(-20, 20), len(rows))
    best = []
    for measure in (0, 1):
        now = sum(not golds for _, golds in rows)
        top = now
        for number in sorted(range(len(rows)), key=lambda n: -leads[n]):
            text, golds = rows[number]
            now += of_version_2(text, golds)[measure] if golds else -1
            top = max(top, now)
        best.append(100 * top / len(rows))
    cut = best_no_answer_threshold(leads, [text for text, _ in rows], [golds for _, golds in rows])
    assert (cut.em, cut.f1) == (same(float(best[0])), same(float(best[1])))


@given(rules_and_answers)
def test_exact_match_is_at_most_f1_unless_the_gold_answer_is_empty(case) -> None:
    rules, prediction, golds = case
    name, language = ("squad", "th") if rules == "squad" else ("mlqa", rules)
    for gold in golds:
        em, f1 = score_answers([prediction], [[gold]], rules=name, language=language)
        assert em[0] <= f1[0] + 1e-12 or not normalised(gold, rules)


pools = st.lists(st.sampled_from(["both", "english", "foreign"]), min_size=1, max_size=20).filter(
    lambda sides: "both" in sides
)


def rows_of(sides: list[str]) -> dict[str, list[str]]:
    return {
        name: [f"{name} {row}" if side in ("both", name) else "" for row, side in enumerate(sides)]
        for name in ("english", "foreign")
    }


@many
@given(pools, st.data())
def test_nearest_neighbours_equal_counting(sides, data) -> None:
    row = st.integers(0, len(sides) - 1)
    answers = {
        n: data.draw(row) for n, side in enumerate(sides) if side != "foreign" and data.draw(st.booleans())
    }
    right = asked = 0
    for number, side in enumerate(sides):
        if side == "both":
            asked += 1
            right += answers.get(number, -1) == number
    predictions = data.draw(st.permutations(list(answers.items())))
    assert scored("nearest", rows_of(sides), predictions) == {"accuracy": same(100 * right / asked)}


@many
@given(pools, st.data())
def test_mined_pairs_equal_precision_and_recall(sides, data) -> None:
    row = st.integers(0, len(sides) - 1)
    found = data.draw(st.lists(st.tuples(row, row), max_size=20))
    gold = {(n, n) for n, side in enumerate(sides) if side == "both"}
    right = sum(pair in gold for pair in set(found))
    expected = 0.0
    if right:
        precision, recall = right / len(set(found)), right / len(gold)
        expected = 200 * precision * recall / (precision + recall)
    assert scored("pairs", rows_of(sides), found) == {"f1": same(expected)}
    assert scored("pairs", rows_of(sides), found[::-1] + found[:3]) == {"f1": same(expected)}
