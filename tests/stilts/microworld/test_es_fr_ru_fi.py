"""Spanish, French, Russian and Finnish: sentences in which their grammar can go wrong, known to be right."""

import pytest

from stilts.microworld.check import complaints
from stilts.microworld.languages import load
from stilts.microworld.meaning import fact
from stilts.microworld.sentences import join, realise, sentence, text

SAID = {
    "es": """
        lives_in.say agent=she place=cairo > Ella vive en El Cairo.
        works_as.turn agent=emma job=surgeon > Emma es cirujana de profesión.
        in_country.say city=delhi country=india > Delhi es una ciudad de la India.
        bought.deny agent=oscar theme=black_dog source=maria time=friday
            > Óscar no compró ningún perro negro a María el viernes.
        founded.ask_year agent=laura org=altera > ¿En qué año fundó Laura la empresa Altera?
        invited.ask_event agent=peter patient=simon > ¿A qué invitó Peter a Simón?
        invited.say agent=peter patient=simon event=concert > Peter invitó a Simón al concierto.
    """,
    "fr": """
        lives_in.turn agent=anna+ito place=cairo > Le domicile d'Anna Ito se trouve au Caire.
        born_in.ask_place agent=sara year=1950 > Où Sara est-elle née en 1950 ?
        older_than.say agent=nora patient=emma > Nora est plus âgée qu'Emma.
        bought.deny agent=max theme=animal time=today > Max n'a pas acheté d'animal aujourd'hui.
        gave.deny agent=max theme=old_guitar recipient=adam > Max n'a pas donné de vieille guitare à Adam.
        gave.ask_theme agent=edgar recipient=vera > Qu'est-ce qu'Edgar a donné à Vera ?
        travelled_to.deny agent=nina place=rome > Nina ne s'est pas rendue à Rome.
        in_country.say city=new_york country=america > New York est une ville des États-Unis.
    """,
    "ru": """
        in_country.say city=lyon country=france > Лион — город во Франции.
        works_for.turn agent=maria org=tavira_air > Мария является сотрудницей компании «Тавира Эйр».
        met.say agent=julia patient=daniel+sato venue=station time=tuesday
            > Юлия встретилась с Даниэлем Сато на вокзале во вторник.
        bought.turn agent=sofia source=lisa theme=red_rose > Лиза продала красную розу Софии.
        called.turn agent=anna patient=julia time=friday > В пятницу Юлии поступил звонок от Анны.
        travelled_to.say agent=he place=vienna time=sunday > Он ездил в Вену в воскресенье.
        born_in.front agent=vera place=moscow year=1999 > В 1999 году в Москве родилась Вера.
    """,
    "fi": """
        met.deny agent=anna patient=peter venue=market > Anna ei tavannut Peteriä torilla.
        bought.say agent=sara theme=doll source=max+ricci > Sara osti nuken Max Ricciltä.
        bought.deny agent=sara theme=doll source=felix > Sara ei ostanut nukkea Felixiltä.
        founded.turn agent=david org=nimbus year=2001 > Nimbus on Davidin vuonna 2001 perustama yhtiö.
        travelled_to.say agent=she place=los_angeles > Hän matkusti Los Angelesiin.
        in_country.turn city=moscow country=russia > Moskova sijaitsee Venäjällä.
    """,
}
LINES = [
    (code, line)
    for code, lines in SAID.items()
    for line in lines.replace("\n            >", " >").splitlines()
]


def _said(code: str, key: str, fillers: list[str]) -> str:
    frame, _, form = key.partition(".")
    roles = dict(filler.replace("+", " ").split("=") for filler in fillers)
    words = realise(load(code), form, fact(frame, **roles))
    return text(load(code), sentence(load(code), words, asks=form.startswith("ask"))).string


@pytest.mark.parametrize("code", SAID)
def test_nothing_is_missing(code: str) -> None:
    assert complaints(load(code)) == []


@pytest.mark.parametrize(("code", "line"), [(code, line.strip()) for code, line in LINES if line.strip()])
def test_says_it_as_it_is_said(code: str, line: str) -> None:
    meant, _, expected = line.partition(" > ")
    key, *fillers = meant.split()
    assert _said(code, key, fillers) == expected


@pytest.mark.parametrize(
    ("second", "word"), [("irina", "e Irina"), ("julia", "y Julia"), ("david", "y David")]
)
def test_spanish_and_before_i(second: str, word: str) -> None:
    spanish = load("es")
    facts = [fact("lives_in", agent=agent, place="lima") for agent in ("peter", second)]
    joined = join(spanish, "and", *(realise(spanish, "say", said) for said in facts))
    assert text(spanish, sentence(spanish, joined)).string == f"Peter vive en Lima {word} vive en Lima."
