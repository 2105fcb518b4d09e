import numpy as np
import pytest
from hypothesis import given, strategies as st

from hpc.errors import UserError
from stilts.tasks import metrics
from stilts.tasks.metrics._questions import (
    best_no_answer_threshold,
    mlqa_tokens,
    score_answers,
    squad_tokens,
)

answers = st.text(alphabet="ab the.!-$ 上海ال", max_size=12)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The Cat.", ["cat"]),
        ("an a the", []),
        ("A-team's $5", ["ateams", "5"]),
        ("anthem theatre", ["anthem", "theatre"]),
        ("  two \u00a0 words\n", ["two", "words"]),
        ("上海，因为", ["上海，因为"]),
        ("«Paris»", ["«paris»"]),
        ("der Hund", ["der", "hund"]),
        ("กรุงเทพ มหานคร", ["กรุงเทพ", "มหานคร"]),
        ("ในปี พ.ศ. 2475", ["ในปี", "พศ", "2475"]),
        ("Война и мир, «том» 1-й", ["война", "и", "мир", "«том»", "1й"]),
        ("서울특별시(首爾)", ["서울특별시首爾"]),
        ("హైదరాబాద్, తెలంగాణ", ["హైదరాబాద్", "తెలంగాణ"]),
        ("Mji wa Dar es Salaam.", ["mji", "wa", "dar", "es", "salaam"]),
        ("القاهرة، مصر", ["القاهرة،", "مصر"]),
        ("दिल्ली में।", ["दिल्ली", "में।"]),
        ("ঢাকা, বাংলাদেশ", ["ঢাকা", "বাংলাদেশ"]),
        ("東京タワー（333m）", ["東京タワー（333m）"]),
        ("Suomen  Pankki", ["suomen", "pankki"]),
        ("שלום, עולם!", ["שלום", "עולם"]),
        ("good 👍🏽 night", ["good", "👍🏽", "night"]),
        ("İstanbul", ["i\u0307stanbul"]),  # lower case of one character may be two
        ("Á la A\u0301", ["á", "la", "\u0301"]),  # decomposed, its letter is an article by itself
        ("a\u200bthe", ["\u200b"]),
    ],
)
def test_squad_normalises_every_language_as_english(text: str, tokens: list[str]) -> None:
    assert squad_tokens(text) == tokens


@pytest.mark.parametrize(
    ("language", "text", "tokens"),
    [
        ("en", "The Cat, an-A.", ["cat", "ana"]),
        ("en", "«Paris»", ["paris"]),
        ("en", "$5 + x = y", ["5", "x", "y"]),
        ("en", "5 € °", ["5", "€", "°"]),
        ("es", "La casa de los ¿perros?", ["casa", "de", "perros"]),
        ("es", "Unas, unos; un.", []),
        ("es", "El Niño y ella", ["niño", "y", "ella"]),
        ("de", "Die Straße des Königs", ["straße", "königs"]),
        ("de", "eines einer dieser", ["dieser"]),
        ("de", "„Der Spiegel“", ["spiegel"]),
        ("vi", "Những con mèo của tôi", ["con", "mèo", "tôi"]),
        ("vi", "là cái chiếc", []),
        ("vi", "cáigì", ["cáigì"]),
        ("vi", "Thành phố Hồ Chí Minh – “Sài Gòn”", ["thành", "phố", "hồ", "chí", "minh", "sài", "gòn"]),
        ("vi", "la\u0300", ["la\u0300"]),  # decomposed, it is none of the words
        ("ar", "القطة الكبيرة", ["قطة", "كبيرة"]),
        ("ar", "خيال", ["خي"]),  # inside a word too: the published pattern does so
        ("ar", "من؟ باريس،", ["من", "باريس"]),
        ("hi", "दिल्ली में रहता है।", ["दिल्ली", "में", "रहता", "है"]),
        ("hi", "the cat", ["the", "cat"]),
        ("hi", "सन् १९४७ ई॰ (भारत)", ["सन्", "१९४७", "ई", "भारत"]),
        ("ar", "السلام", ["سلام"]),
        ("ar", "في عام ١٩٥٢م", ["في", "عام", "١٩٥٢م"]),
        ("en", "👩‍🚀 on the 🌕!", ["👩‍🚀", "on", "🌕"]),
        ("es", "del al", ["del", "al"]),
        ("zh", "上海，因为", ["上", "海", "因", "为"]),
        ("zh", "2008年北京Olympic Games。", ["2008", "年", "北", "京", "olympic", "games"]),
        ("zh", "the 猫", ["the", "猫"]),
        ("zh", "《红楼梦》", ["红", "楼", "梦"]),
        ("zh", "約翰·史密斯 3.5％", ["約", "翰", "史", "密", "斯", "35"]),
        ("zh", "漢A字 カナ𠀀", ["漢", "a", "字", "カナ𠀀"]),
        ("zh", "㐀x", ["㐀x"]),  # outside of U+4E00-U+9FA5
    ],
)
def test_mlqa_normalises_by_language(language: str, text: str, tokens: list[str]) -> None:
    assert mlqa_tokens(text, language) == tokens


def test_mlqa_has_no_rules_for_other_languages() -> None:
    with pytest.raises(UserError, match="unknown language 'fr' in the MLQA metric"):
        mlqa_tokens("le chat", "fr")


@pytest.mark.parametrize(
    ("prediction", "gold", "em", "f1"),
    [
        ("the cat", ["Cat!"], 1, 1),
        ("a black cat", ["cat"], 0, 2 / 3),
        ("cat cat", ["cat"], 0, 2 / 3),
        ("dog", ["cat"], 0, 0),
        ("dog", ["cat", "dog"], 1, 1),
        ("big dog", ["a cat", "big dog house"], 0, 0.8),
        ("", ["cat"], 0, 0),
        ("the", ["a"], 1, 0),  # both normalise to nothing
        (None, ["cat"], 0, 0),
        (None, ["the"], 0, 0),
    ],
)
def test_squad_scores_the_best_gold_answer(prediction, gold, em, f1) -> None:
    got = score_answers([prediction], [gold], rules="squad", language="th")
    assert (got[0][0], got[1][0]) == (em, pytest.approx(f1))


@pytest.mark.parametrize(
    ("prediction", "gold", "em", "f1"),
    [
        ("", [], 1, 1),
        ("cat", [], 0, 0),
        ("the", [], 1, 1),
        ("", ["cat"], 0, 0),
        ("cat", ["the", "cat"], 1, 1),
    ],
)
def test_squad_v2_knows_questions_without_answer(prediction, gold, em, f1) -> None:
    got = score_answers([prediction], [gold], rules="squad_v2", language="en")
    assert (got[0][0], got[1][0]) == (em, f1)


def test_a_chinese_answer_counts_by_character_in_mlqa_and_as_one_word_in_xquad() -> None:
    examples = {"answers": [[{"text": "上海市", "start": 0}]]}
    mlqa = metrics.score("mlqa", examples=examples, predictions=["上海"], language="zh")
    xquad = metrics.score("squad", examples=examples, predictions=["上海"], language="zh")
    assert mlqa.values == {"em": 0, "f1": pytest.approx(80)}
    assert xquad.values == {"em": 0, "f1": 0}


@given(st.lists(st.tuples(answers, answers), min_size=1, max_size=6), st.randoms())
def test_order_is_nothing_and_em_is_at_most_f1_unless_gold_is_empty(pairs, random) -> None:
    em, f1 = score_answers([p for p, _ in pairs], [[g] for _, g in pairs], rules="squad", language="en")
    shuffled = random.sample(pairs, len(pairs))
    again = score_answers([p for p, _ in shuffled], [[g] for _, g in shuffled], rules="squad", language="en")
    assert again[0].sum() == em.sum()
    assert again[1].sum() == pytest.approx(f1.sum())
    for (_, gold), one_em, one_f1 in zip(pairs, em, f1, strict=True):
        assert one_em <= one_f1 + 1e-9 or not squad_tokens(gold)


def test_a_missing_prediction_is_wrong_and_counted() -> None:
    examples = {"answers": [[{"text": "a cat", "start": 0}]] * 2}
    scored = metrics.score("squad", examples=examples, predictions=["cat", None], language="en")
    assert (scored.values["em"], scored.missing) == (50, 1)
    assert scored.by_example.tolist() == [1, 0]


@given(
    st.lists(
        st.tuples(st.integers(-2, 2), st.sampled_from(["x", "y"]), st.sampled_from([[], ["x"], ["x y"]])),
        min_size=1,
        max_size=8,
    )
)
def test_the_best_threshold_is_found_by_trying_all(rows: list[tuple[int, str, list[str]]]) -> None:
    leads, texts, golds = ([row[n] for row in rows] for n in range(3))
    cut = best_no_answer_threshold(leads, texts, golds)
    tried = []
    for threshold in [-9, *sorted(set(leads))]:
        given_text = [t if lead > threshold else "" for t, lead in zip(texts, leads, strict=True)]
        em, f1 = score_answers(given_text, golds, rules="squad_v2", language="en")
        tried.append((100 * em.mean(), 100 * f1.mean()))
    assert cut.em == pytest.approx(max(em for em, _ in tried))
    assert cut.f1 == pytest.approx(max(f1 for _, f1 in tried))
    given_text = [t if lead > cut.threshold else "" for t, lead in zip(texts, leads, strict=True)]
    _, f1 = score_answers(given_text, golds, rules="squad_v2", language="en")
    assert 100 * f1.mean() == pytest.approx(cut.f1)


def test_squad_v2_takes_the_best_threshold_when_it_has_confidences() -> None:
    examples = {"answers": [[{"text": "x", "start": 0}], [], []]}
    scored = metrics.score(
        "squad_v2",
        examples=examples,
        predictions=["x", "y", None],
        language="en",
        confidences=np.float32([-1, -2, 0]),
    )
    assert scored.values == {"em": pytest.approx(200 / 3), "f1": pytest.approx(200 / 3)}
    assert scored.by_example.tolist() == [1, 1, 0]
    plain = metrics.score("squad_v2", examples=examples, predictions=["x", "", "y"], language="en")
    assert plain.values["em"] == pytest.approx(200 / 3)


@pytest.mark.parametrize(("rules", "unanswerable"), [("squad", 0.0), ("mlqa", 0.0), ("squad_v2", 1.0)])
def test_what_is_missing_or_cannot_be_right_leaves_the_others_as_they_are(rules, unanswerable) -> None:
    given, golds = ["red", None, "", "blue"], [["red"], ["x"], [], ["blue"]]
    em, f1 = score_answers(given, golds, rules=rules, language="en")
    assert em.tolist() == f1.tolist() == [1.0, 0.0, unanswerable, 1.0]
