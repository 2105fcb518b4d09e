"""Tagged sentences: a tag a word, sound entities, and CCG categories that combine to a sentence."""

from functools import cache

import pytest

from stilts.embedded.microworld import languages, rows
from stilts.embedded.microworld.grammar import UPOS
from stilts.embedded.microworld.tasks import ENTITIES


@pytest.mark.parametrize("code", languages("udpos"))
def test_parts_of_speech(code: str) -> None:
    seen = set()
    for row in rows("udpos", language=code, split="test", limit=300, seed=1):
        assert len(row["tokens"]) == len(row["pos_tags"])
        assert all(row["tokens"])
        assert UPOS[row["pos_tags"][-1]] == "PUNCT"
        seen |= {UPOS[tag] for tag in row["pos_tags"]}
    assert {"NOUN", "PROPN", "VERB", "PUNCT", "PRON"} <= seen


@pytest.mark.parametrize("code", languages("panx"))
def test_entities(code: str) -> None:
    seen = set()
    for row in rows("panx", language=code, split="test", limit=300, seed=1):
        assert len(row["tokens"]) == len(row["ner_tags"]) == len(row["langs"])
        assert not any(" " in token for token in row["tokens"])
        tags = [ENTITIES[tag] for tag in row["ner_tags"]]
        for before, tag in zip(["O", *tags], tags, strict=False):
            assert not tag.startswith("I-") or before[2:] == tag[2:], row
        seen |= set(tags)
    assert {"O", "B-PER", "I-PER", "B-ORG", "B-LOC"} <= seen
    assert code != "en" or seen == set(ENTITIES)


def test_two_people_side_by_side_are_two_entities() -> None:
    found = [
        (row["tokens"][i : i + 2], ENTITIES[row["ner_tags"][i + 1]])
        for row in rows("panx", language="de", split="test", limit=400, seed=1)
        for i in range(len(row["tokens"]) - 1)
        if row["tokens"][i] in {"Lisa", "Max"} and row["tokens"][i + 1] in {"Emma", "Leon", "Felix", "Anton"}
    ]
    assert found
    assert {tag for _, tag in found} == {"B-PER"}


@pytest.mark.parametrize("code", languages("panx"))
def test_the_same_entities_in_every_language(code: str) -> None:
    kinds = [
        [
            sorted(ENTITIES[tag] for tag in row["ner_tags"] if ENTITIES[tag].startswith("B-"))
            for row in rows("panx", language=each, split="test", limit=200, seed=1)
        ]
        for each in ("en", code)
    ]
    assert kinds[0] == kinds[1]


Category = tuple["Category", str, "Category"] | str


def parsed(text: str) -> Category:
    """A category as (result, slash, argument), or an atom."""
    depth, text = 0, bare(text)
    for place in range(len(text) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(text[place], 0)
        if depth == 0 and text[place] in "/\\":
            return parsed(text[:place]), text[place], parsed(text[place + 1 :])
    return text


def bare(text: str) -> str:
    depth = 0
    for place, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0 and place < len(text) - 1:
            return text
    return bare(text[1:-1]) if text.startswith("(") else text


def fits(wanted: Category, got: Category) -> bool:
    """Whether a category may stand for another; one without a feature stands for any feature."""
    if isinstance(wanted, str) or isinstance(got, str):
        if isinstance(wanted, str) and isinstance(got, str):
            (one, _, feature), (two, _, other) = wanted.partition("["), got.partition("[")
            return one == two and (feature == other or not feature or not other)
        return False
    return wanted[1] == got[1] and fits(wanted[0], got[0]) and fits(wanted[2], got[2])


def featured(result: Category, modifier: Category, argument: Category) -> Category:
    """A modifier X|X gives back what it modified, features and all."""
    return argument if result == modifier else result


@cache
def combined(left: Category, right: Category) -> frozenset[Category]:
    """Application, composition (crossed too, for "did not"), coordination, and a comma swallowed."""
    found = set()
    if not isinstance(left, str) and left[1] == "/":
        if fits(left[2], right):
            found.add(featured(left[0], left[2], right))
        if not isinstance(right, str) and right[1] == "/" and fits(left[2], right[0]):
            found.add((left[0], "/", right[2]))
    if not isinstance(right, str) and right[1] == "\\" and fits(right[2], left):
        found.add(featured(right[0], right[2], left))
    crossed = not isinstance(left, str) and not isinstance(right, str) and (left[1], right[1]) == ("/", "\\")
    if crossed and fits(right[2], left[0]):
        found.add((featured(right[0], right[2], left[0]), "/", left[2]))
    if right in {",", "."} and left != "conj":
        found.add(left)
    if left == ",":
        found.add(right)
    if left == "conj":
        found.add((right, "\\", right))
    return frozenset(found | {"NP" for category in found if category == "N"})


def derivable(categories: list[str]) -> bool:
    """Whether the categories of a sentence derive S[dcl] (Cocke, Younger and Kasami)."""
    size = len(categories)
    cells: dict[tuple[int, int], set[Category]] = {}
    for place, category in enumerate(categories):
        cells[place, place + 1] = {parsed(category)} | ({"NP"} if category == "N" else set())
    for width in range(2, size + 1):
        for start in range(size - width + 1):
            cells[start, start + width] = {
                result
                for middle in range(start + 1, start + width)
                for left in cells[start, middle]
                for right in cells[middle, start + width]
                for result in combined(left, right)
            }
    return "S[dcl]" in cells[0, size]


def test_categories_combine_to_a_sentence() -> None:
    for row in rows("ccg", language="en", split="train", limit=250, seed=1):
        assert len(row["tokens"]) == len(row["tags"])
        assert derivable(row["tags"]), row


def test_wrong_categories_do_not() -> None:
    row = rows("ccg", language="en", split="train", limit=1, seed=1)[0]
    assert not derivable(["N"] * len(row["tags"]))
    assert not derivable(row["tags"][::-1])
