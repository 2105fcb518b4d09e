"""Chinese, Korean, Vietnamese, Indonesian, Arabic: sentences where grammar can go wrong, known right."""

import pytest

from stilts.microworld.check import complaints
from stilts.microworld.grammar import Language
from stilts.microworld.languages import load
from stilts.microworld.meaning import fact
from stilts.microworld.sentences import Token, join, realise, sentence, text

SAID = {
    "zh": """
        bought.say agent=anna theme=horse source=peter+rossi time=monday > 安娜星期一向彼得·罗西买了一匹马。
        bought.deny agent=he theme=red_rose time=today > 他今天没有买红玫瑰。
        bought.ask_time agent=max theme=old_guitar > 马克斯是什么时候买旧吉他的？
        invited.turn agent=adam patient=nora event=exhibition > 诺拉收到了亚当请她去参观展览的邀请。
        founded.turn agent=vera org=tavira_air year=1987 > 塔维拉航空公司由薇拉于1987年创立。
    """,
    "ko": """
        travelled_to.say agent=she place=montreal time=today > 그녀는 오늘 몬트리올로 여행을 갔습니다.
        travelled_to.ask_agent place=berlin time=sunday > 누가 일요일에 베를린으로 여행을 갔습니까?
        works_as.deny agent=martin job=poet > 마틴은 시인으로 일하지 않습니다.
        bought.turn agent=anna+conti source=daniel theme=new_violin
            > 대니얼은 안나 콘티에게 새 바이올린을 팔았습니다.
        founded.turn agent=simon+ito org=orbitel > 오르비텔은 사이먼 이토에 의해 설립되었습니다.
        parent_of.turn agent=david patient=elena > 엘레나는 데이비드의 딸입니다.
    """,
    "vi": """
        bought.say agent=he theme=black_dog source=lisa time=yesterday
            > Anh ấy đã mua một con chó đen từ Lisa hôm qua.
        gave.deny agent=anna theme=novel recipient=adam time=sunday
            > Anna đã không tặng cuốn tiểu thuyết nào cho Adam vào Chủ nhật.
        founded.turn agent=oscar+sato org=brista_group year=2001
            > Tập đoàn Brista được Oscar Sato thành lập vào năm 2001.
        in_country.deny city=lyon country=spain > Lyon không phải là một thành phố ở Tây Ban Nha.
    """,
    "id": """
        bought.ask_theme agent=peter source=emma time=monday
            > Apa yang dibeli oleh Peter dari Emma pada hari Senin?
        bought.deny agent=she theme=white_cat source=edgar > Dia tidak membeli kucing putih dari Edgar.
        gave.front agent=clara theme=rose recipient=leon time=today
            > Hari ini, Clara memberikan setangkai bunga mawar kepada Leon.
        parent_of.deny agent=anna patient=victor > Anna bukan ibu dari Victor.
        helped.turn agent=nina patient=robert venue=market > Robert dibantu oleh Nina di pasar.
    """,
    "ar": """
        works_as.say agent=diana job=surgeon > تعمل ديانا طبيبة جراحة.
        works_as.say agent=he job=lawyer > يعمل محاميًا.
        bought.say agent=she theme=black_dog source=adam time=friday > اشترت كلبًا أسود من آدم يوم الجمعة.
        bought.deny agent=felix theme=white_tulip > لم يشترِ فيليكس زهرة توليب بيضاء.
        met.turn agent=vera+mori patient=peter venue=park > التقى بيتر بفيرا موري في الحديقة.
        founded.say agent=he org=norvik year=1964 > هو أسس شركة نورفيك عام 1964.
        founded.say agent=nora+franco org=norvik > أسست نورا فرانكو شركة نورفيك.
        in_country.deny city=cairo country=america > ليست القاهرة مدينة في الولايات المتحدة.
        parent_of.ask_patient agent=anna patient=sara > من هي ابنة آنا؟
    """,
}
JOINED = {
    "zh": "安娜住在开罗，但是彼得·罗西没有创立森塔公司。",
    "ko": "안나는 카이로에 삽니다. 그러나 피터 로시는 젠타를 설립하지 않았습니다.",
    "vi": "Anna sống ở Cairo, nhưng Peter Rossi không thành lập công ty Zenta.",
    "id": "Anna tinggal di Kairo, tetapi Peter Rossi tidak mendirikan Zenta.",
    "ar": "تعيش آنا في القاهرة، لكن لم يؤسس بيتر روسي شركة زينتا.",
}
LINES = [
    (code, line)
    for code, lines in SAID.items()
    for line in lines.replace("\n            >", " >").strip().splitlines()
]


def _words(language: Language, key: str, fillers: list[str]) -> tuple[Token, ...]:
    frame, _, form = key.partition(".")
    roles = dict(filler.replace("+", " ").split("=") for filler in fillers)
    return sentence(language, realise(language, form, fact(frame, **roles)), asks="ask" in form)


@pytest.mark.parametrize("code", SAID)
def test_nothing_is_missing(code: str) -> None:
    assert complaints(load(code)) == []


@pytest.mark.parametrize(("code", "line"), LINES)
def test_a_sentence_is_said_right(code: str, line: str) -> None:
    left, _, expected = line.strip().partition(" > ")
    key, *fillers = left.split()
    language = load(code)
    assert text(language, _words(language, key, fillers)).string == expected


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
    ("code", "role", "answer"),
    [
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
    said = text(language, sentence(language, realise(language, "say", bought)))
    start, end = said.span(role)
    assert said.string[start:end] == answer


def test_a_particle_or_clitic_is_no_part_of_the_name() -> None:
    met = fact("met", agent="anna", patient="martin")
    for code, name, word in (("ko", "마틴", "마틴을"), ("ar", "مارتن", "بمارتن")):
        language = load(code)
        said = text(language, realise(language, "say", met))
        start, end = said.span("patient")
        assert said.string[start:end] == name
        assert word in said.string
