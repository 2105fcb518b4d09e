"""Questions on passages: which stretch of the text answers, among others of the same sort.

A passage tells two facts of one frame, with nothing in common, now and then another act of the same people
at the same time, and one or two facts more; the question takes up everything about one of the two but the
role it asks for. So what was done counts, not only who and when.
"""

from dataclasses import dataclass, replace

from stilts.embedded.microworld.grammar import Language
from stilts.embedded.microworld.inference import forms_of
from stilts.embedded.microworld.meaning import FRAMES, Fact
from stilts.embedded.microworld.paraphrase import OTHER_NAME, acted
from stilts.embedded.microworld.sentences import Text, text
from stilts.embedded.microworld.telling import sentences
from stilts.embedded.microworld.truth import Claim
from stilts.embedded.microworld.world import World, draw

# Acts with the same people, things and times, of which only the verb tells which one is asked about.
_RIVALS = {
    "lives_in": ("born_in", "travelled_to"),
    "born_in": ("lives_in", "travelled_to"),
    "travelled_to": ("lives_in", "born_in"),
    "works_for": ("founded",),
    "founded": ("works_for",),
    "bought": ("gave",),
    "gave": ("bought",),
    "met": ("helped", "called"),
    "helped": ("met", "called"),
    "called": ("met", "helped"),
    "invited": ("helped", "met"),
}
# Names and years are easily guessed, so other words are asked for more often.
_OFTEN = {"person": 1, "thing": 4, "job": 4, "venue": 4, "event": 4}
_ASKED = [
    (name, role)
    for name, frame in FRAMES.items()
    for role in frame.asks
    for _ in range(_OFTEN.get(frame.roles[role], 2))
]
_MORE = ("lives_in", "works_as", "works_for", "born_in", "travelled_to", "in_country")


@dataclass(frozen=True, slots=True)
class Question:
    """A passage, the fact asked about, the role asked for, and whether the passage answers."""

    passage: tuple[Claim, ...]
    about: Fact
    role: str
    answered: bool


def question(seed: int, split: str, index: int, *, name: str, unanswerable: float = 0.0) -> Question:
    """Item `index` of a split."""
    world = draw(seed, name, split, index, split=split)
    frame, role = world.one(_ASKED)
    people = world.people(6, full=world.chance(0.5))
    wanted, other = _two_alike(world, frame, role, people)
    claims = [Claim(fact, True, world.one(forms_of(fact, True))) for fact in (wanted, other)]
    if frame in _RIVALS and world.chance(0.25):
        rival = _rival(world, wanted, role, people[4:])
        claims.append(Claim(rival, True, world.one(forms_of(rival, True))))
    if len(claims) == 2 or world.chance(0.4):
        claims = _with_more(world, claims, people)
    world.random.shuffle(claims)
    answered = not world.chance(unanswerable)
    return Question(
        tuple(claims), wanted if answered else _untold(world, wanted, other, role), role, answered
    )


def _two_alike(world: World, frame: str, role: str, people: list[str]) -> tuple[Fact, Fact]:
    """Two facts of a frame that share nothing; both have the role."""
    optional = [name for name in sorted(FRAMES[frame].optional) if name == role or world.chance(0.6)]
    if frame == "bought" and role == "source":
        optional = sorted({*optional, "source"})
    if FRAMES[frame].any_of and not optional:
        optional = [world.one(sorted(FRAMES[frame].any_of))]
    count = sum(kind == "person" for kind in FRAMES[frame].roles.values())
    wanted = world.fact(frame, people[:count], optional=optional)
    while True:
        other = world.fact(frame, people[count : 2 * count], optional=optional)
        if not set(wanted.roles.values()) & set(other.roles.values()):
            return wanted, other


def _rival(world: World, wanted: Fact, role: str, strangers: list[str]) -> Fact:
    """Another act that agrees with the wanted one wherever it can, but not in the role asked for."""
    act = acted(wanted, world.one(_RIVALS[wanted.frame]))
    role = role if role in FRAMES[act.frame].roles else OTHER_NAME.get(role, role)
    kinds, known, spare = FRAMES[act.frame].roles, set(wanted.roles.values()), iter(strangers)
    filled = act.roles
    for name, kind in kinds.items():
        missing = name not in filled and name not in FRAMES[act.frame].optional
        if name == role or missing or kind == "thing":
            filled[name] = next(spare) if kind == "person" else world.another(kind, *known)
    return world.fact(act.frame, [], **filled)


def _with_more(world: World, claims: list[Claim], people: list[str]) -> list[Claim]:
    """One more claim, of another frame, about someone who is there already."""
    told = {claim.fact.frame for claim in claims}
    fact = world.fact(world.one([name for name in _MORE if name not in told]), [world.one(people[:4])])
    return [*claims, Claim(fact, True, world.one(forms_of(fact, True)))]


def _untold(world: World, wanted: Fact, other: Fact, role: str) -> Fact:
    """What the passage does not tell: the wanted fact with something of the other one, or of nobody's."""
    given = [name for name in wanted.roles if name != role and name in other.roles]
    changed = world.one(given)
    if len(given) > 1:
        return wanted.having(**{changed: other[changed]})
    kind = FRAMES[wanted.frame].roles[changed]
    if kind == "person":
        return wanted.having(**{changed: _nobody(world, wanted, other)})
    return wanted.having(**{changed: world.another(kind, wanted[changed], other[changed])})


def _nobody(world: World, *facts: Fact) -> str:
    known = {name.split()[0] for fact in facts for _, name in fact.fillers}
    return next(name for name in world.people(8, full=False) if name not in known)


def passage(language: Language, asked: Question) -> tuple[Text, tuple[int, int] | None]:
    """The passage in a language, and where the answer stands in it."""
    said = sentences(language, asked.passage)
    if not asked.answered:
        return text(language, *said), None
    place = next(i for i, claim in enumerate(asked.passage) if claim.fact == asked.about)
    role = asked.role
    if all(token.role != role or not token.entity for token in said[place]) and role == "agent":
        place, role = place - 1, _role_of(asked.passage[place - 1].fact, asked.about["agent"])
    kept = [
        words if i == place else tuple(replace(token, role="") for token in words)
        for i, words in enumerate(said)
    ]
    laid = text(language, *kept)
    return laid, laid.span(role)


def _role_of(fact: Fact, person: str) -> str:
    return next(role for role, name in fact.fillers if name == person)
