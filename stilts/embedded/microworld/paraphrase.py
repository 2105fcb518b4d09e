"""Pairs of sentences that mean the same or not, with nearly the same words either way.

Same: another order or another verb (sold for bought). Different: another act, another detail, or both; or two
people, or the details of two clauses, have changed places. Both sorts are made with the same sentence forms.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from stilts.embedded.microworld.inference import forms_of
from stilts.embedded.microworld.meaning import FRAMES, Fact, fact as make_fact
from stilts.embedded.microworld.truth import Claim
from stilts.embedded.microworld.world import World, balanced, draw

_TWO_PEOPLE = {
    "bought": "source",
    "gave": "recipient",
    "helped": "patient",
    "called": "patient",
    "invited": "patient",
    "older_than": "patient",
}
_DETAIL = {
    "bought": ("theme", "time"),
    "gave": ("theme", "time"),
    "met": ("venue", "time"),
    "helped": ("venue", "time"),
    "called": ("time",),
    "invited": ("event",),
    "travelled_to": ("place", "time"),
    "born_in": ("place", "year"),
    "founded": ("org", "year"),
}
# Acts that the same people can do with the same things, so that one verb may stand for another.
_ANOTHER_ACT = {
    "bought": ("gave",),
    "gave": ("bought",),
    "met": ("helped", "called"),
    "helped": ("met", "called"),
    "called": ("met", "helped"),
    "lives_in": ("born_in", "travelled_to"),
    "travelled_to": ("lives_in", "born_in"),
}
OTHER_NAME = {"source": "recipient", "recipient": "source"}
"""Roles that have another name in the other act."""
_KINDS = ("both", "both", "act", "act", "detail", "detail", "people", "clauses")
_FRAMES = {
    "both": sorted(set(_ANOTHER_ACT) & set(_DETAIL)),
    "act": sorted(_ANOTHER_ACT),
    "detail": sorted(_DETAIL),
    "people": sorted(_TWO_PEOPLE),
}
_CLAUSES = {"lives_in": "place", "works_as": "job", "works_for": "org", "travelled_to": "place"}


@dataclass(frozen=True, slots=True)
class Couple:
    """Two tellings, each of one or two claims, and whether they say the same."""

    first: tuple[Claim, ...]
    second: tuple[Claim, ...]
    same: bool


def couple(seed: int, split: str, index: int, *, name: str) -> Couple:
    """Item `index` of a split."""
    key = (seed, name, split)
    world = draw(*key, index, split=split)
    same = balanced(("different", "same"), index, *key) == "same"
    kind = world.one(_KINDS)
    if kind == "clauses":
        return _clauses(world, same=same)
    frame = world.one(_FRAMES[kind])
    fact = world.fact(frame, world.people(3), optional=sorted(FRAMES[frame].optional))
    if frame in {"helped", "met"} and world.chance(0.5):
        fact = fact.without(world.one(["venue", "time"]))
    act = world.one(_ANOTHER_ACT[frame]) if kind in {"act", "both"} else frame
    fact = acted(acted(fact, act), frame)  # what both acts have room for, so that neither tells more
    changed = fact if same else _changed(world, fact, kind, act)
    one = world.one(forms_of(fact, True))
    others = [form for form in forms_of(changed, True) if form != one or (not same and kind == "people")]
    first, second = (Claim(fact, True, one),), (Claim(changed, True, world.one(others)),)
    return Couple(first, second, same) if world.chance(0.5) else Couple(second, first, same)


def _changed(world: World, fact: Fact, kind: str, act: str) -> Fact:
    if kind == "people":
        return exchanged(fact)
    if kind == "act":
        return acted(fact, act)
    if any(role in fact.roles for role in _DETAIL[fact.frame]):
        fact = altered(world, fact, _DETAIL[fact.frame])
    return acted(fact, act)


def acted(fact: Fact, frame: str) -> Fact:
    """The same people and things in another act, as far as it has room for them."""
    if fact.frame == frame:
        return fact
    renamed = {"source": "recipient", "recipient": "source"}
    roles = {
        role if role in FRAMES[frame].roles else renamed.get(role, ""): name for role, name in fact.fillers
    }
    return make_fact(frame, **{role: name for role, name in roles.items() if role})


def exchanged(fact: Fact) -> Fact:
    """The fact with its two people in each other's place."""
    role = _TWO_PEOPLE[fact.frame]
    return fact.having(**{"agent": fact[role], role: fact["agent"]})


def altered(world: World, fact: Fact, roles: Sequence[str]) -> Fact:
    """The fact with one of these roles, of those it has, filled otherwise."""
    role = world.one([role for role in roles if role in fact.roles])
    return fact.having(**{role: world.another(FRAMES[fact.frame].roles[role], fact[role])})


def _clauses(world: World, *, same: bool) -> Couple:
    frame = world.one(sorted(_CLAUSES))
    role = _CLAUSES[frame]
    one, two = world.people(2)
    first = world.fact(frame, [one])
    second = first.having(agent=two, **{role: world.another(FRAMES[frame].roles[role], first[role])})
    left = (Claim(first, True, "say"), Claim(second, True, "say"))
    if not same:
        first, second = first.having(**{role: second[role]}), second.having(**{role: first[role]})
    right = [Claim(second, True, "say"), Claim(first, True, "say")]
    if not same and world.chance(0.5):
        right.reverse()
    return Couple(left, tuple(right), same)
