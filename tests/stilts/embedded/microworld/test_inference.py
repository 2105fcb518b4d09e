"""Natural language inference: labels against worlds drawn at random, and nothing given away."""

from collections import Counter
from dataclasses import dataclass
from random import Random

import pytest

from stilts.embedded.microworld import inference
from stilts.embedded.microworld.inference import Pair, pair
from stilts.embedded.microworld.meaning import CONCEPTS, FRAMES, WIDER, Fact
from stilts.embedded.microworld.truth import NLI, Claim

EVENTS = ("bought", "gave", "met", "helped", "called", "invited", "travelled_to", "founded")


@dataclass
class Possible:
    """One way the world could be, as far as some claims speak of it."""

    states: dict[tuple[str, str], str]
    ages: dict[str, int]
    parents: set[tuple[str, str]]
    events: list[tuple[str, dict[str, str]]]

    def makes_true(self, fact: Fact) -> bool:
        roles = fact.roles
        if fact.frame == "born_in":
            return all(
                self.states.get(("born " + role, roles["agent"])) == roles[role]
                for role in roles
                if role != "agent"
            )
        if fact.frame in {"lives_in", "works_for", "works_as"}:
            value = next(name for role, name in roles.items() if role != "agent")
            return is_a(self.states[fact.frame, roles["agent"]], value)
        if fact.frame == "older_than":
            return self.ages[roles["agent"]] > self.ages[roles["patient"]]
        if fact.frame == "parent_of":
            return (roles["agent"], roles["patient"]) in self.parents
        readings = [roles]
        if fact.frame == "met":
            readings.append({**roles, "agent": roles["patient"], "patient": roles["agent"]})
        return any(
            frame == fact.frame and all(is_a(event[role], name) for role, name in reading.items())
            for frame, event in self.events
            for reading in readings
        )


def is_a(concept: str, general: str) -> bool:
    while concept != general and concept in WIDER:
        concept = WIDER[concept]
    return concept == general


def imagined(random: Random, facts: list[Fact]) -> Possible:
    """A world about the people and things of some facts, and about some that they do not mention."""
    named = {name for fact in facts for _, name in fact.fillers}
    people = [name for name in named if CONCEPTS.get(name) == "person"]

    def some(kind: str) -> str:
        return random.choice(
            [name for name in sorted(named) if CONCEPTS.get(name, "year") == kind] + [f"other {kind}"]
        )

    states = {}
    for person in people:
        states |= {("lives_in", person): some("city"), ("works_for", person): some("org")}
        states |= {("works_as", person): some("job"), ("born place", person): some("city")}
        states["born year", person] = some("year")
    ages = {person: random.randrange(3) for person in people}
    parents = {
        (one, two) for one in people for two in people if ages[one] > ages[two] and random.random() < 0.5
    }
    events: list[tuple[str, dict[str, str]]] = []
    for fact in facts:
        if fact.frame in EVENTS and random.random() < 0.6:
            event = {
                role: fact.roles.get(role, some(kind)) for role, kind in FRAMES[fact.frame].roles.items()
            }
            if random.random() < 0.5:
                role = random.choice(sorted(event))
                event[role] = some(FRAMES[fact.frame].roles[role])
            founding = (fact.frame, event.get("agent"), event.get("org"))
            if fact.frame != "founded" or founding not in [
                (f, e.get("agent"), e.get("org")) for f, e in events
            ]:
                events.append((fact.frame, event))
    return Possible(states, ages, parents, events)


def outcomes(item: Pair, random: Random, worlds: int) -> set[bool]:
    """Whether the hypothesis holds, over the worlds in which the premise does."""
    claims = [*item.premise, item.hypothesis]
    found = set()
    for _ in range(worlds):
        world = imagined(random, [claim.fact for claim in claims])
        if all(world.makes_true(claim.fact) == claim.holds for claim in item.premise):
            found.add(world.makes_true(item.hypothesis.fact) == item.hypothesis.holds)
    return found


@pytest.mark.parametrize(("name", "hard"), [("mnli", False), ("anli_plus", True)])
def test_labels_hold_in_all_worlds(name: str, hard: bool) -> None:
    expected = {"entailment": {True}, "contradiction": {False}, "neutral": {True, False}}
    for index in range(250):
        item = pair(3, "train", index, name=name, hard=hard)
        random, found = Random(index), set()
        for worlds in (300, 3000, 30000):  # more only where too few had the premise true
            found |= outcomes(item, random, worlds)
            if found == expected[item.label]:
                break
        assert found == expected[item.label], item


def test_the_hypothesis_does_not_depend_on_the_label(monkeypatch: pytest.MonkeyPatch) -> None:
    hypotheses: dict[int, set[Claim]] = {}
    for label in NLI:
        monkeypatch.setattr(inference, "balanced", lambda *_, label=label: label)
        for index in range(100):
            item = pair(1, "train", index, name="mnli", hard=False)
            assert item.label == label
            hypotheses.setdefault(index, set()).add(item.hypothesis)
    assert all(len(found) == 1 for found in hypotheses.values())
    assert len({claim for found in hypotheses.values() for claim in found}) > 90


def test_negation_stands_under_every_label() -> None:
    items = [pair(1, "train", index, name="mnli", hard=False) for index in range(900)]
    counted = Counter((item.hypothesis.holds, item.label) for item in items)
    assert min(counted.values()) > 100
    denied = Counter(item.label for item in items if any(not claim.holds for claim in item.premise))
    assert min(denied.values()) > 60
