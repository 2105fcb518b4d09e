"""Natural language inference: for a drawn hypothesis and label, a premise that gives it that label.

The hypothesis is drawn before the label and without regard to it, so nothing in it tells the label.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stilts.embedded.microworld.meaning import FRAMES, SPECIAL_JOBS, THINGS, WIDER, Fact, wider
from stilts.embedded.microworld.truth import NLI, Claim, Relation, conclusion, relation
from stilts.embedded.microworld.world import World, balanced, draw

_STATES = ("lives_in", "works_as", "works_for", "born_in")
_EVENTS = ("bought", "gave", "met", "helped", "called", "invited", "travelled_to")
_PLAIN = (*_STATES, *_STATES, "older_than", "bought", "gave", "travelled_to", "met")
# How often each kind of difference is taken where several would give the label.
_PLAIN_WEIGHTS = {"same": 4, "side": 4, "less": 2, "kind": 2, "more": 2, "other": 2, "swap": 1, "person": 2}
_HARD = (*_STATES, "older_than", "parent_of", "founded", *_EVENTS)


@dataclass(frozen=True, slots=True)
class Pair:
    """Premise, hypothesis and how the one stands to the other."""

    premise: tuple[Claim, ...]
    hypothesis: Claim
    label: Relation


def pair(seed: int, split: str, index: int, *, name: str, hard: bool) -> Pair:
    """Item `index` of a split; the hard ones have more frames, people and ways to say things."""
    key = (seed, name, split)
    world = draw(*key, index, split=split)
    label = next(name for name in NLI if name == balanced(NLI, index, *key))
    frames = _HARD if hard else _PLAIN
    while True:
        hypothesis = _hypothesis(world, frames)
        options = _premises(world, hypothesis, frames)
        if set(options) == set(NLI):
            break
    kinds = sorted(options[label])
    weights = [1 if hard else _PLAIN_WEIGHTS[kind] for kind in kinds]
    kind = world.random.choices(kinds, weights)[0]
    choices = options[label][kind]
    if label == "neutral":  # denied no more often than under the other labels
        holds = not world.chance(0.37 if hard else 0.4)
        choices = [choice for choice in choices if choice[1] == holds] or choices
    fact, holds = world.random.choice(choices)
    forms = _other_forms(fact, holds, hypothesis)
    premise = Claim(fact, holds, world.one(forms or [hypothesis.form]))
    more = not forms or world.chance(0.8 if hard else 0.2)
    if more:
        return Pair(_with_more(world, premise, hypothesis, label, hard=hard), hypothesis, label)
    return Pair((premise,), hypothesis, label)


def _other_forms(fact: Fact, holds: bool, hypothesis: Claim) -> list[str]:
    """The ways to say a premise without saying the hypothesis word for word."""
    same = fact == hypothesis.fact and holds == hypothesis.holds
    return [form for form in forms_of(fact, holds) if not (same and form == hypothesis.form)]


def forms_of(fact: Fact, holds: bool) -> list[str]:
    """The ways to say it; a plain statement counts twice."""
    if not holds:
        return ["deny"]
    frame = FRAMES[fact.frame]
    fronted = ["front"] if frame.front_needs & set(fact.roles) else []
    turned = ["turn"] if frame.turn_needs <= set(fact.roles) else []
    return ["say", "say", *fronted, *turned]


def _hypothesis(world: World, frames: Sequence[str]) -> Claim:
    fact = _drawn(world, world.one(frames), world.people(2))
    holds = world.chance(0.5)
    return Claim(fact, holds, world.one(forms_of(fact, holds)))


def _drawn(world: World, frame: str, people: Sequence[str]) -> Fact:
    roles, given = FRAMES[frame].roles, {}
    optional = [role for role in sorted(FRAMES[frame].optional) if world.chance(0.4)]
    if "theme" in roles:
        given["theme"] = world.one(THINGS)
    if "job" in roles and world.chance(0.5):
        given["job"] = world.one([*SPECIAL_JOBS, "doctor"])
    if "source" in optional:
        people = [*people, next(name for name in world.people(3) if name not in people)]
    return world.fact(frame, people, optional=optional, **given)


def _premises(
    world: World, hypothesis: Claim, frames: Sequence[str]
) -> dict[Relation, dict[str, list[tuple[Fact, bool]]]]:
    """What could stand before the hypothesis: label -> kind of difference -> facts that hold or not."""
    found: dict[Relation, dict[str, list[tuple[Fact, bool]]]] = {}
    for kind, fact in _variants(world, hypothesis.fact, frames):
        for holds in (True, False):
            label = relation(Claim(fact, holds, ""), hypothesis)
            if label:
                found.setdefault(label, {}).setdefault(kind, []).append((fact, holds))
    return found


def _variants(world: World, fact: Fact, frames: Sequence[str]) -> Iterator[tuple[str, Fact]]:
    """The fact itself, and facts that differ from it in one respect, with the name of that respect."""
    frame = FRAMES[fact.frame]
    yield "same", fact
    for role, concept in fact.fillers:
        if role in frame.single:
            yield "other", fact.having(**{role: world.another(frame.roles[role], concept)})
        for near in (*wider(concept)[:1], *(name for name, above in WIDER.items() if above == concept)):
            yield "kind", fact.having(**{role: near})
        if role in frame.optional and not (frame.any_of and len(frame.any_of & set(fact.roles)) == 1):
            yield "less", fact.without(role)
    for role in sorted(frame.optional - set(fact.roles)):
        if frame.roles[role] != "person":
            yield "more", fact.having(**{role: world.another(frame.roles[role])})
    if fact.frame in {"older_than", "parent_of", "met"}:
        yield "swap", fact.having(agent=fact["patient"], patient=fact["agent"])
    if fact.frame in _STATES:
        yield "person", fact.having(agent=_stranger(world, fact))
    # Drawn as hypotheses are, so that a premise's frame does not tell the label either.
    side = world.one([name for name in frames if name != fact.frame])
    yield "side", _drawn(world, side, [fact["agent"], _stranger(world, fact)])


def _stranger(world: World, *facts: Fact) -> str:
    known = {name for fact in facts for _, name in fact.fillers}
    return next(name for name in world.people(len(known) + 1) if name not in known)


def _with_more(
    world: World, premise: Claim, hypothesis: Claim, label: Relation, *, hard: bool
) -> tuple[Claim, ...]:
    """The premise with a second claim, in either order, that leaves the label as it is."""
    for _ in range(20):
        agent = (
            premise.fact["agent"] if world.chance(0.4) else _stranger(world, premise.fact, hypothesis.fact)
        )
        frame = world.one(_STATES)
        if hard and hypothesis.fact.frame in _STATES and agent != premise.fact["agent"]:
            frame = hypothesis.fact.frame
        fact = world.fact(frame, [agent])
        holds = world.chance(0.7)
        more = Claim(fact, holds, world.one(forms_of(fact, holds)))
        if conclusion((premise, more), hypothesis) == label and relation(premise, more) == "neutral":
            return (premise, more) if world.chance(0.5) else (more, premise)
    return (premise,)
