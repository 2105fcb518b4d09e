"""Every language: nothing missing, and sentences in which its grammar can go wrong, known to be right.

A line of `said/<code>.txt` is `frame.form role=filler ... > the sentence`, a full name being `anna+rossi`.
"""

from pathlib import Path

import pytest

from stilts.embedded.microworld.check import complaints, specimens
from stilts.embedded.microworld.grammar import Language, parse, phrase
from stilts.embedded.microworld.languages import codes, load
from stilts.embedded.microworld.meaning import FRAMES, fact
from stilts.embedded.microworld.sentences import join, realise, sentence, text

SAID = Path(__file__).parent / "said"
LINES = [
    (file.stem, line) for file in sorted(SAID.glob("*.txt")) for line in file.read_text("utf-8").splitlines()
]
JOINED = {
    "en": "Anna lives in Cairo, but Peter Rossi did not found Zenta.",
    "ar": "تعيش آنا في القاهرة، لكن لم يؤسس بيتر روسي شركة زينتا.",
    "de": "Anna wohnt in Kairo, aber Peter Rossi gründete Zenta nicht.",
    "es": "Ana vive en El Cairo, pero Peter Rossi no fundó Zenta.",
    "fi": "Anna asuu Kairossa, mutta Peter Rossi ei perustanut Zentaa.",
    "fr": "Anna habite au Caire, mais Peter Rossi n'a pas fondé Zenta.",
    "id": "Anna tinggal di Kairo, tetapi Peter Rossi tidak mendirikan Zenta.",
    "ko": "안나는 카이로에 삽니다. 그러나 피터 로시는 젠타를 설립하지 않았습니다.",
    "ru": "Анна живёт в Каире, но Питер Росси не основывал компанию «Зента».",
    "vi": "Anna sống ở Cairo, nhưng Peter Rossi không thành lập công ty Zenta.",
    "zh": "安娜住在开罗，但是彼得·罗西没有创立森塔公司。",
}


def said(language: Language, key: str, fillers: list[str]) -> str:
    frame, _, form = key.partition(".")
    roles = dict(filler.replace("+", " ").split("=") for filler in fillers)
    words = realise(language, form, fact(frame, **roles))
    return text(language, sentence(language, words, asks=form.startswith("ask"))).string


@pytest.mark.parametrize("code", codes())
def test_nothing_is_missing(code: str) -> None:
    assert complaints(load(code)) == []


@pytest.mark.parametrize("code", codes())
def test_every_language_has_its_known_sentences(code: str) -> None:
    assert sum(each == code for each, _ in LINES) >= 5


@pytest.mark.parametrize(("code", "line"), LINES)
def test_a_sentence_is_said_right(code: str, line: str) -> None:
    meant, _, expected = line.partition(" > ")
    key, *fillers = meant.split()
    assert said(load(code), key, fillers) == expected


@pytest.mark.parametrize("code", codes())
def test_no_sentence_is_badly_set(code: str) -> None:
    language = load(code)
    for key, string in specimens(language):
        assert "  " not in string, key
        assert string == string.strip(), key
        assert not set(string) & set("{}[]|_@"), key
        assert string.endswith((language.question[1], language.stop)), key
        assert string[0] == string[0].upper(), key


@pytest.mark.parametrize("code", codes())
def test_other_ways_to_say_it_differ(code: str) -> None:
    """`turn` and `deny` are other sentences than `say`; NLI and paraphrase live on that."""
    language = load(code)
    for name, frame in FRAMES.items():
        forms = [form for form in frame.forms if not form.startswith("ask")]
        assert len({language.templates[f"{name}.{form}"] for form in forms}) == len(forms), name


@pytest.mark.parametrize("code", JOINED)
def test_two_sentences_joined(code: str) -> None:
    language = load(code)
    first = realise(language, "say", fact("lives_in", agent="anna", place="cairo"))
    second = realise(language, "deny", fact("founded", agent="peter rossi", org="zenta"))
    joined = sentence(language, join(language, "but", first, second))
    assert text(language, joined).string == JOINED[code]


def test_the_arabic_and_is_written_with_the_next_word() -> None:
    language = load("ar")
    first = realise(language, "say", fact("lives_in", agent="anna", place="rome"))
    second = realise(language, "say", fact("works_as", agent="she", job="cook"))
    joined = text(language, join(language, "and", first, second))
    assert joined.string == "تعيش آنا في روما وتعمل طباخة"
    assert [token.text for token in joined.tokens][4:6] == ["و", "تعمل"]


@pytest.mark.parametrize(
    ("second", "word"), [("irina", "e Irina"), ("julia", "y Julia"), ("david", "y David")]
)
def test_the_spanish_and_heeds_an_i(second: str, word: str) -> None:
    spanish = load("es")
    facts = [fact("lives_in", agent=agent, place="lima") for agent in ("peter", second)]
    joined = join(spanish, "and", *(realise(spanish, "say", each) for each in facts))
    assert text(spanish, sentence(spanish, joined)).string == f"Peter vive en Lima {word} vive en Lima."


@pytest.mark.parametrize(
    ("code", "role", "answer"),
    [
        ("en", "theme", "new hammer"),
        ("de", "time", "Montag"),
        ("ru", "source", "Эммы Мори"),
        ("fi", "source", "Emma Morilta"),
        ("zh", "theme", "新锤子"),
        ("ko", "theme", "새 망치"),
        ("ko", "source", "에마 모리"),
        ("vi", "time", "thứ Hai"),
        ("id", "theme", "palu baru"),
        ("ar", "source", "إيما موري"),
    ],
)
def test_the_name_alone_answers(code: str, role: str, answer: str) -> None:
    language = load(code)
    bought = fact("bought", agent="anna", theme="new_hammer", source="emma mori", time="monday")
    told = text(language, sentence(language, realise(language, "say", bought)))
    start, end = told.span(role)
    assert told.string[start:end] == answer


def test_a_particle_or_clitic_is_no_part_of_the_name() -> None:
    met = fact("met", agent="anna", patient="martin")
    for code, name, word in (("ko", "마틴", "마틴을"), ("ar", "مارتن", "بمارتن")):
        language = load(code)
        told = text(language, realise(language, "say", met))
        start, end = told.span("patient")
        assert told.string[start:end] == name
        assert word in told.string


def test_brackets_mark_the_name_even_inside_a_word() -> None:
    assert [piece.core for piece in phrase("в/ADP [1964/NUM] году/NOUN", upos="NUM")] == [None, (0, 4), None]
    assert [piece.core for piece in phrase("[안나]는", upos="PROPN")] == [(0, 2)]
    assert [piece.core for piece in phrase("[New York]에", upos="PROPN")] == [(0, 3), (0, 4)]
    assert [piece.text for piece in phrase("in/ADP the/DET big_park", upos="NOUN")] == [
        "in",
        "the",
        "big park",
    ]
    assert phrase("-", upos="PRON") == ()


@pytest.mark.parametrize("template", ["{agent.nom lives/VERB", "lives/VERBX {agent.nom}", "{agent}"])
def test_a_bad_template_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r"neither|no universal part of speech"):
        parse(template)


def test_what_a_language_lacks_is_told() -> None:
    whole = load("de")
    words = {name: entry for name, entry in whole.words.items() if name != "rome"}
    templates = {**whole.templates, "lives_in.say": "{agent.dat} wohnt/VERB", "met.sing": "la/INTJ"}
    broken = Language(
        code="de",
        name="German",
        words=words,
        templates=templates,
        years=whole.years,
        joins={"and": "{first}"},
    )
    found = "\n".join(complaints(broken))
    for told in (
        "concept 'rome'",
        "'met.sing' does not exist",
        "role 'place' does not appear",
        "'but' is missing",
    ):
        assert told in found
    assert "'anna' has no form 'dat'" in found
