"""What follows from what: the truth conditions of the microworld.

A claim is a fact said to hold or not to hold. A claim about an event is read as SNLI reads it, both sentences
telling of one and the same event; where readers could differ (another day, another buyer) nothing is decided.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from stilts.embedded.microworld.meaning import FRAMES, Fact, wider

Relation = Literal["entailment", "neutral", "contradiction"]
NLI: tuple[Relation, ...] = ("entailment", "neutral", "contradiction")

# Frames that speak of different sides of a person, so that one never bears on another.
_SIDES = {
    "lives_in": "home",
    "born_in": "birth",
    "travelled_to": "travel",
    "works_as": "job",
    "works_for": "work",
    "founded": "work",
    "older_than": "family",
    "parent_of": "family",
    "met": "contact",
    "helped": "contact",
    "called": "contact",
    "invited": "contact",
    "bought": "trade",
    "gave": "trade",
}
_OF_ONE_PERSON = {"lives_in", "born_in", "works_as", "works_for"}
_ONE_WAY = {"older_than", "parent_of"}


@dataclass(frozen=True, slots=True)
class Claim:
    """A fact, whether it is said to hold, and the sentence form that says so."""

    fact: Fact
    holds: bool
    form: str


def relation(premise: Claim, hypothesis: Claim) -> Relation | None:
    """How the hypothesis stands to the premise; None where readers could differ."""
    if premise.holds and hypothesis.holds:
        return _between(premise.fact, hypothesis.fact)
    if premise.holds:
        return _opposite(_between(premise.fact, hypothesis.fact))
    back = _between(hypothesis.fact, premise.fact)
    if back == "entailment":
        return "contradiction" if hypothesis.holds else "entailment"
    if back == "contradiction" and premise.fact.frame in _ONE_WAY:
        return None
    return back and "neutral"


def conclusion(premises: Iterable[Claim], hypothesis: Claim) -> Relation | None:
    """How the hypothesis stands to all premises together."""
    found = {relation(premise, hypothesis) for premise in premises}
    if None in found or {"entailment", "contradiction"} <= found:
        return None
    return (
        "entailment" if "entailment" in found else "contradiction" if "contradiction" in found else "neutral"
    )


def _opposite(label: Relation | None) -> Relation | None:
    swapped: dict[Relation, Relation] = {"entailment": "contradiction", "contradiction": "entailment"}
    return swapped.get(label, label) if label else None


def _between(first: Fact, second: Fact) -> Relation | None:
    if first.frame != second.frame:
        return _across(first, second)
    one, two = first.roles, second.roles
    if one["agent"] != two["agent"]:
        return _other_agent(first, second)
    differing = [role for role in two if role in one and not _covers(two[role], one[role])]
    if not differing:
        return "entailment" if set(two) <= set(one) else "neutral"
    if any(_covers(one[role], two[role]) for role in differing):
        return "neutral" if len(differing) == 1 else None
    single = FRAMES[first.frame].single
    if set(differing) & single and set(differing) <= single:
        return "contradiction"
    return "neutral" if first.frame == "older_than" else None


def _across(first: Fact, second: Fact) -> Relation | None:
    if first.frame == "parent_of" and second.frame == "older_than":
        return _between(Fact("older_than", first.fillers), second)
    return "neutral" if _SIDES[first.frame] != _SIDES[second.frame] else None


def _other_agent(first: Fact, second: Fact) -> Relation | None:
    if first.frame in _ONE_WAY and (first["agent"], first["patient"]) == (second["patient"], second["agent"]):
        return "contradiction"
    if first.frame == "met" and second.without("agent", "patient") == first.without("agent", "patient"):
        return (
            "entailment"
            if {first["agent"], first["patient"]} == {second["agent"], second["patient"]}
            else None
        )
    return "neutral" if first.frame in _OF_ONE_PERSON else None


def _covers(general: str, special: str) -> bool:
    return general == special or general in wider(special)
