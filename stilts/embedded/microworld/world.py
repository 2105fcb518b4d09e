"""Drawing from the microworld: who, where, what, by chance that depends on a key alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from stilts.embedded.microworld.meaning import (
    COUNTRY_OF,
    DAYS,
    EVENTS,
    FRAMES,
    JOBS,
    MEN,
    ORGS,
    SEX,
    SURNAMES,
    THINGS,
    VENUES,
    WIDER,
    WOMEN,
    YEARS,
    Fact,
    fact,
    wider,
)

LEAVES = [thing for thing in THINGS if thing in WIDER and thing not in set(WIDER.values())]
"""Things that are a kind of something and have no narrower kind."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class World:
    """The part of the microworld that a split may use: people, cities and companies of training never come
    back in dev and test, what they do and with what does.
    """

    random: Random
    pool: str

    def people(self, count: int, *, full: bool = False, sex: str = "") -> list[str]:
        """Different people, with surnames (all different) where `full`."""
        names = [name for name in WOMEN[self.pool] + MEN[self.pool] if not sex or SEX[name] == sex]
        first = self.random.sample(names, count)
        if not full:
            return first
        last = self.random.sample(SURNAMES[self.pool], count)
        return [f"{name} {surname}" for name, surname in zip(first, last, strict=True)]

    def chance(self, probability: float) -> bool:
        """True that often."""
        return self.random.random() < probability

    def one(self, options: Sequence[T]) -> T:
        """One of them, all alike."""
        return self.random.choice(options)

    def fillers(self, kind: str) -> list[str]:
        """All that can fill a role of this kind, people excepted."""
        return {
            "city": list(COUNTRY_OF[self.pool]),
            "country": sorted(set(COUNTRY_OF[self.pool].values())),
            "org": ORGS[self.pool],
            "job": JOBS,
            "thing": LEAVES,
            "venue": VENUES,
            "event": EVENTS,
            "day": DAYS,
            "year": YEARS[self.pool],
        }[kind]

    def another(self, kind: str, *known: str) -> str:
        """A filler that differs from the known ones, and is no wider or narrower kind of any."""
        near = {*known, *(name for concept in known for name in wider(concept))}
        options = [
            name for name in self.fillers(kind) if name not in near and not near & {name, *wider(name)}
        ]
        return self.one(options)

    def fact(self, frame: str, people: Sequence[str], *, optional: Sequence[str] = (), **given: str) -> Fact:
        """A fact about these people, in the order of the frame's roles; the rest is drawn."""
        rest, filled = iter(people), dict(given)
        any_of = FRAMES[frame].any_of
        if any_of and not any_of & {*optional, *given}:
            optional = [*optional, self.one(sorted(any_of))]
        for role, kind in FRAMES[frame].roles.items():
            if role in given or (role in FRAMES[frame].optional and role not in optional):
                continue
            filled[role] = next(rest) if kind == "person" else self.another(kind)
        if frame == "in_country" and "country" not in given:
            filled["country"] = COUNTRY_OF[self.pool][filled["city"]]
        return fact(frame, **filled)


def draw(*key: object, split: str) -> World:
    """The world of one item: equal keys give equal worlds, on every machine."""
    return World(Random("/".join(map(str, key))), "train" if split == "train" else "held")


def balanced(labels: Sequence[str], index: int, *key: object) -> str:
    """The label of item `index`: each comes equally often in every run of len(labels) items."""
    order = list(labels)
    Random("/".join(map(str, (*key, index // len(labels))))).shuffle(order)
    return order[index % len(labels)]


def cells(listed: str) -> list[list[str]]:
    """Rows that end with `;`, their cells parted by `|`, wherever the lines break."""
    rows = [row for row in " ".join(listed.split()).split(";") if row.strip()]
    return [[cell.strip() for cell in row.split("|")] for row in rows]
