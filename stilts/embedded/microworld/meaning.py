"""What there is in the microworld, in no language: concepts, their kinds, and the facts they take part in.

A concept is a short ASCII name ("anna", "lyon", "red_rose"), unique over all kinds. A person may carry a
surname: "anna moreno". A year is its own digits. Words for concepts are in `languages/`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

# Kind of concept -> (the UPOS a bare word of it has, the entity type its words carry).
KINDS: Mapping[str, tuple[str, str]] = {
    "person": ("PROPN", "PER"),
    "surname": ("PROPN", "PER"),
    "pronoun": ("PRON", ""),
    "city": ("PROPN", "LOC"),
    "country": ("PROPN", "LOC"),
    "org": ("PROPN", "ORG"),
    "job": ("NOUN", ""),
    "thing": ("NOUN", ""),
    "venue": ("NOUN", ""),
    "event": ("NOUN", ""),
    "day": ("NOUN", ""),
    "year": ("NUM", ""),
}


def _names(listed: str) -> list[str]:
    return listed.split()


WOMEN = {
    "train": _names("anna maria laura sofia clara nina julia elena diana vera"),
    "held": _names("emma lisa nora paula irina sara"),
}
MEN = {
    "train": _names("peter martin david daniel robert thomas adam simon victor oscar"),
    "held": _names("leon felix anton max edgar conrad"),
}
SURNAMES = {
    "train": _names("rossi moreno romano marino conti sato ito bruni franco kato"),
    "held": _names("russo ricci mori navarro nakano longo"),
}
COUNTRY_OF = {
    "train": {
        "paris": "france",
        "rome": "italy",
        "madrid": "spain",
        "berlin": "germany",
        "vienna": "austria",
        "lisbon": "portugal",
        "tokyo": "japan",
        "cairo": "egypt",
        "moscow": "russia",
        "toronto": "canada",
        "lima": "peru",
        "oslo": "norway",
        "new_york": "america",
        "delhi": "india",
    },
    "held": {
        "lyon": "france",
        "milan": "italy",
        "barcelona": "spain",
        "munich": "germany",
        "salzburg": "austria",
        "porto": "portugal",
        "osaka": "japan",
        "montreal": "canada",
        "bergen": "norway",
        "los_angeles": "america",
    },
}
ORGS = {
    "train": _names("norvik orbitel lumena vectora alpina_group polaris zenta corvida tavira_air delfina"),
    "held": _names("nimbus altera brista_group solveta kestra marvena"),
}
JOBS = _names(
    "doctor teacher lawyer engineer journalist cook baker pilot architect painter singer pharmacist"
)
VENUES = _names("museum park library restaurant station theatre market school")
EVENTS = _names("concert wedding party dinner exhibition meeting")
DAYS = _names("monday tuesday wednesday thursday friday saturday sunday yesterday today")
YEARS = {
    "train": [str(year) for year in range(1931, 2020) if year % 3],
    "held": [str(year) for year in range(1931, 2020) if not year % 3],
}

# Narrower -> next wider. What has no entry is widest.
WIDER: Mapping[str, str] = {
    "rose": "flower",
    "tulip": "flower",
    "red_rose": "rose",
    "white_tulip": "tulip",
    "apple": "fruit",
    "pear": "fruit",
    "green_apple": "apple",
    "yellow_pear": "pear",
    "dog": "animal",
    "cat": "animal",
    "horse": "animal",
    "black_dog": "dog",
    "white_cat": "cat",
    "guitar": "instrument",
    "violin": "instrument",
    "flute": "instrument",
    "old_guitar": "guitar",
    "new_violin": "violin",
    "novel": "book",
    "dictionary": "book",
    "old_dictionary": "dictionary",
    "hammer": "tool",
    "saw": "tool",
    "new_hammer": "hammer",
    "doll": "toy",
    "ball": "toy",
    "big_ball": "ball",
    "surgeon": "doctor",
    "pianist": "musician",
    "violinist": "musician",
    "poet": "writer",
    "novelist": "writer",
}
SPECIAL_JOBS = _names("surgeon musician pianist violinist writer poet novelist")
THINGS = sorted({name for pair in WIDER.items() for name in pair} - {"doctor", *SPECIAL_JOBS})


def _members() -> dict[str, str]:
    people = {name: "person" for names in (*WOMEN.values(), *MEN.values()) for name in names}
    surnames = {name: "surname" for names in SURNAMES.values() for name in names}
    cities = {city: "city" for cities in COUNTRY_OF.values() for city in cities}
    countries = {country: "country" for cities in COUNTRY_OF.values() for country in cities.values()}
    orgs = {name: "org" for names in ORGS.values() for name in names}
    others = {"job": JOBS + SPECIAL_JOBS, "thing": THINGS, "venue": VENUES, "event": EVENTS, "day": DAYS}
    rest = {name: kind for kind, names in others.items() for name in names}
    return {**people, **surnames, "she": "pronoun", "he": "pronoun", **cities, **countries, **orgs, **rest}


CONCEPTS: Mapping[str, str] = _members()
"""Every concept -> its kind."""

SEX: Mapping[str, str] = {
    **{name: "f" for names in WOMEN.values() for name in names},
    **{name: "m" for names in MEN.values() for name in names},
    "she": "f",
    "he": "m",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """One sort of fact: which roles it has, who may fill them, and what can be said with it."""

    roles: Mapping[str, str]
    """Role -> kind of concept."""
    optional: frozenset[str]
    """Roles a fact of this frame may lack."""
    asks: tuple[str, ...]
    """Roles a question can be asked about."""
    turn_needs: frozenset[str] = frozenset()
    """Optional roles without which the `turn` sentence cannot be said."""
    single: frozenset[str] = frozenset()
    """Roles with one true filler once the agent is fixed: another filler contradicts."""

    any_of: frozenset[str] = frozenset()
    """Optional roles of which a fact has at least one."""

    @property
    def front_needs(self) -> frozenset[str]:
        """The role the `front` sentence begins with; empty where a frame has no such sentence."""
        return self.optional & {"time", "year"}

    @property
    def forms(self) -> tuple[str, ...]:
        """The sentence forms every language has for this frame."""
        front = ("front",) if self.front_needs else ()
        return ("say", *front, "turn", "deny", *(f"ask_{role}" for role in self.asks))


def _frame(roles: str, *, asks: str, turn_needs: str = "", single: str = "", any_of: str = "") -> Frame:
    pairs = [word.split(":") for word in roles.split()]
    return Frame(
        roles={role.rstrip("?"): kind for role, kind in pairs},
        optional=frozenset(role.rstrip("?") for role, _ in pairs if role.endswith("?")),
        asks=tuple(asks.split()),
        turn_needs=frozenset(turn_needs.split()),
        single=frozenset(single.split()),
        any_of=frozenset(any_of.split()),
    )


FRAMES: Mapping[str, Frame] = {
    "lives_in": _frame("agent:person place:city", asks="agent place", single="place"),
    "works_as": _frame("agent:person job:job", asks="agent job", single="job"),
    "works_for": _frame("agent:person org:org", asks="agent org", single="org"),
    "born_in": _frame(
        "agent:person place?:city year?:year",
        asks="agent place year",
        single="place year",
        any_of="place year",
    ),
    "founded": _frame("agent:person org:org year?:year", asks="agent org year", single="year"),
    "older_than": _frame("agent:person patient:person", asks="agent patient"),
    "parent_of": _frame("agent:person patient:person", asks="agent patient"),
    "in_country": _frame("city:city country:country", asks="city country", single="country"),
    "bought": _frame(
        "agent:person theme:thing source?:person time?:day",
        asks="agent theme source time",
        turn_needs="source",
    ),
    "gave": _frame("agent:person theme:thing recipient:person time?:day", asks="agent theme recipient time"),
    "met": _frame("agent:person patient:person venue?:venue time?:day", asks="agent patient venue time"),
    "helped": _frame("agent:person patient:person venue?:venue time?:day", asks="agent patient venue time"),
    "called": _frame("agent:person patient:person time?:day", asks="agent patient time"),
    "invited": _frame("agent:person patient:person event:event", asks="agent patient event"),
    "travelled_to": _frame("agent:person place:city time?:day", asks="agent place time"),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """A frame with its roles filled, e.g. `fact("lives_in", agent="anna", place="lyon")`."""

    frame: str
    fillers: tuple[tuple[str, str], ...]

    def __getitem__(self, role: str) -> str:
        return dict(self.fillers)[role]

    @property
    def roles(self) -> dict[str, str]:
        """Role -> concept."""
        return dict(self.fillers)

    def having(self, **changed: str) -> "Fact":
        """The same fact with some roles filled otherwise, or added."""
        return fact(self.frame, **{**self.roles, **changed})

    def without(self, *dropped: str) -> "Fact":
        """The same fact with these roles left unsaid."""
        return fact(self.frame, **{role: name for role, name in self.fillers if role not in dropped})


def fact(frame: str, **fillers: str) -> Fact:
    """A fact with its roles in the frame's order, so that equal facts are equal."""
    return Fact(frame, tuple((role, fillers[role]) for role in FRAMES[frame].roles if role in fillers))


def wider(concept: str) -> tuple[str, ...]:
    """All concepts that a concept is a kind of, nearest first: red_rose -> rose, flower."""
    found = []
    while concept in WIDER:
        concept = WIDER[concept]
        found.append(concept)
    return tuple(found)
