"""Span questions: one answer, where it is said to stand, and none where there is none."""

import pytest

from stilts.embedded.microworld.grammar import Language
from stilts.embedded.microworld.languages import codes, load
from stilts.embedded.microworld.meaning import SEX, Fact
from stilts.embedded.microworld.reading import Question, passage, question
from stilts.embedded.microworld.sentences import pieces_of


def answers(item: Question) -> list[str]:
    """What fills the asked role in the facts of the passage that agree with the question in all else."""
    known = item.about.without(item.role).roles
    return [
        claim.fact[item.role]
        for claim in item.passage
        if claim.fact.frame == item.about.frame
        and item.role in claim.fact.roles
        and fits(claim.fact, known, item)
    ]


def fits(fact: Fact, known: dict[str, str], item: Question) -> bool:
    if not all(fact.roles.get(role) == name for role, name in known.items()):
        return False
    # "the mother of" and "the son of" tell the sex of the one asked for
    if fact.frame == "parent_of" and item.answered:
        return SEX[fact[item.role].split()[0]] == SEX[item.about[item.role].split()[0]]
    return True


@pytest.mark.parametrize("name", ["squad_v1", "squad_v2", "tydiqa"])
def test_one_fact_answers_or_none(name: str) -> None:
    unanswerable = 0.4 if name == "squad_v2" else 0.0
    items = [question(5, "train", index, name=name, unanswerable=unanswerable) for index in range(800)]
    for item in items:
        assert answers(item) == ([item.about[item.role]] if item.answered else []), item
    told = sum(item.answered for item in items)
    assert told == 800 if name != "squad_v2" else 440 < told < 520


@pytest.mark.parametrize("code", codes())
def test_the_span_is_the_name(code: str) -> None:
    language = load(code)
    for index in range(300):
        item = question(1, "test", index, name="mlqa")
        laid, span = passage(language, item)
        assert span is not None
        said = laid.string[span[0] : span[1]]
        assert said == said.strip() != ""
        concept = item.about[item.role]
        if concept.isdigit():
            assert concept in said
        else:
            assert any(said.lower().replace(" ", "").startswith(name) for name in names(language, concept)), (
                said
            )


def names(language: Language, concept: str) -> set[str]:
    """A concept's name in all its forms, without spaces; of a full name the first part."""
    forms = language.words[concept.split()[0]].forms.values()
    cores = ["".join(piece.text[slice(*piece.core)] for piece in form if piece.core) for form in forms]
    return {core.lower().replace(" ", "") for core in cores if core}


def test_other_answers_of_the_same_sort_stand_beside() -> None:
    for index in range(300):
        item = question(1, "train", index, name="squad_v1")
        rivals = [claim.fact for claim in item.passage if claim.fact.frame == item.about.frame]
        assert len(rivals) == 2
        assert len({fact[item.role] for fact in rivals}) == 2


def test_the_text_of_a_full_name_holds_both_names() -> None:
    text = "".join(piece.text for piece in pieces_of(load("zh"), "anna rossi", "nom"))
    assert text == "安娜·罗西"
