"""Paraphrase: what is called the same has the same facts, and only that."""

from collections import Counter

import pytest

from stilts.embedded.microworld.languages import codes, load
from stilts.embedded.microworld.meaning import Fact
from stilts.embedded.microworld.paraphrase import couple
from stilts.embedded.microworld.tasks import MAKERS
from stilts.embedded.microworld.truth import Claim


def meaning(claims: tuple[Claim, ...]) -> Counter[tuple[object, ...]]:
    return Counter(key(claim.fact) for claim in claims)


def key(fact: Fact) -> tuple[object, ...]:
    if fact.frame == "met":
        return (frozenset({fact["agent"], fact["patient"]}), fact.without("agent", "patient"))
    return (fact,)


@pytest.mark.parametrize("name", ["pawsx", "qqp"])
def test_same_means_the_same_facts(name: str) -> None:
    for index in range(600):
        item = couple(2, "train", index, name=name)
        assert all(claim.holds for claim in (*item.first, *item.second))
        assert (meaning(item.first) == meaning(item.second)) == item.same, item


@pytest.mark.parametrize("code", [code for code in MAKERS["pawsx"].languages if code in codes()])
def test_no_sentence_is_its_own_paraphrase(code: str) -> None:
    rows = [MAKERS["pawsx"].make(load(code), 1, "test", index) for index in range(300)]
    assert all(row["sentence1"] != row["sentence2"] for row in rows)


def test_swapped_words_are_different_and_reordered_ones_the_same() -> None:
    rows = [MAKERS["pawsx"].make(load("en"), 1, "train", index) for index in range(1000)]
    words = [(Counter(bare(row["sentence1"])), Counter(bare(row["sentence2"])), row["label"]) for row in rows]
    alike = Counter(label for one, two, label in words if one == two)
    assert min(alike["0"], alike["1"]) > 80


def bare(sentence: str) -> list[str]:
    return sentence.lower().replace(",", "").replace(".", "").split()


def test_questions_of_quora_differ_where_they_should() -> None:
    rows = [MAKERS["qqp"].make(load("en"), 1, "train", index) for index in range(600)]
    assert all(row["question1"] != row["question2"] for row in rows)
    assert all(row["question1"].endswith("?") and row["question2"].endswith("?") for row in rows)
