"""Pairs of English questions that ask the same or not.

Some ask whether something is so, in the words of `paraphrase`; some ask who, what, where or when, the second
time with another verb, or of something else.
"""

from dataclasses import replace

from stilts.embedded.microworld.grammar import Language
from stilts.embedded.microworld.meaning import FRAMES, Fact
from stilts.embedded.microworld.paraphrase import altered, couple, exchanged
from stilts.embedded.microworld.sentences import join, realise, sentence, text
from stilts.embedded.microworld.truth import Claim
from stilts.embedded.microworld.world import World, balanced, draw

# The same question with another verb than in the language's own `ask_...`.
_TURNED = {
    "lives_in.again_place": "Where/ADV is/AUX {agent.nom} 's/PART home/NOUN",
    "works_as.again_job": "What/PRON does/AUX {agent.nom} work/VERB as/ADP",
    "works_for.again_org": "Which/DET company/NOUN employs/VERB {agent.nom}",
    "works_for.again_agent": "Whom/PRON does/AUX {org.nom} employ/VERB",
    "born_in.again_place": "Where/ADV did/AUX {agent.nom} come/VERB into/ADP the/DET world/NOUN {year.in?}",
    "born_in.again_year": "When/ADV did/AUX {agent.nom} come/VERB into/ADP the/DET world/NOUN {place.in?}",
    "founded.again_agent": "By/ADP whom/PRON was/AUX {org.nom} founded/VERB {year.in?}",
    "founded.again_year": "When/ADV was/AUX {org.nom} founded/VERB {agent.by}",
    "bought.again_source": "Who/PRON sold/VERB {theme.acc} {agent.to} {time.on?}",
    "bought.again_agent": "To/ADP whom/PRON did/AUX {source.nom} sell/VERB {theme.acc} {time.on?}",
    "bought.again_theme": "What/PRON did/AUX {source.nom} sell/VERB {agent.to} {time.on?}",
    "gave.again_recipient": "Who/PRON received/VERB {theme.acc} {agent.from} {time.on?}",
    "gave.again_agent": "From/ADP whom/PRON did/AUX {recipient.nom} receive/VERB {theme.acc} {time.on?}",
    "gave.again_theme": "What/PRON did/AUX {recipient.nom} receive/VERB {agent.from} {time.on?}",
    "helped.again_agent": "From/ADP whom/PRON did/AUX {patient.nom} get/VERB help/NOUN "
    "{venue.at?} {time.on?}",
    "helped.again_patient": "Who/PRON got/VERB help/NOUN {agent.from} {venue.at?} {time.on?}",
    "called.again_agent": "From/ADP whom/PRON did/AUX {patient.nom} get/VERB a/DET call/NOUN {time.on?}",
    "called.again_patient": "Who/PRON got/VERB a/DET call/NOUN {agent.from} {time.on?}",
}
_WHETHER = ("Is it true that", "Do you know whether", "Can you tell me whether", "Does anyone know whether")


def questions(language: Language, seed: int, split: str, index: int) -> tuple[str, str, bool]:
    """Item `index`: two questions, and whether they ask the same."""
    key = (seed, "qqp", split)
    world = draw(*key, "kind", index, split=split)
    if world.chance(0.5):
        same = balanced(("different", "same"), index, *key, "wh") == "same"
        return (*_wh(_extended(language), world, same=same), same)
    item = couple(seed, split, index, name="qqp")
    one, two = world.random.sample(_WHETHER, 2)
    return _whether(language, one, item.first), _whether(language, two, item.second), item.same


def _extended(language: Language) -> Language:
    return replace(language, templates={**language.templates, **_TURNED})


def _whether(language: Language, opening: str, claims: tuple[Claim, ...]) -> str:
    said = [realise(language, claim.form, claim.fact) for claim in claims]
    whole = join(language, "and", *said) if len(said) == 2 else said[0]
    return f"{opening} {text(language, whole).string}?"


def _wh(language: Language, world: World, *, same: bool) -> tuple[str, str]:
    frame, _, role = world.one(sorted(_TURNED)).partition(".again_")
    optional = {name for name in sorted(FRAMES[frame].optional) if name == "source" or world.chance(0.6)}
    fact = world.fact(frame, world.people(2), optional=sorted(optional | ({role} & FRAMES[frame].optional)))
    changed = fact if same else _changed(world, fact, role)
    forms = [f"ask_{role}", f"again_{role}"]
    world.random.shuffle(forms)
    return _asked(language, forms[0], fact), _asked(language, forms[1], changed)


def _changed(world: World, fact: Fact, role: str) -> Fact:
    """Another fact, so that the question for the role becomes another one."""
    frame = FRAMES[fact.frame]
    people = [name for name in fact.roles if frame.roles[name] == "person"]
    if len(people) == 2 and role not in people:
        return exchanged(fact)
    others = [name for name in fact.roles if name != role and frame.roles[name] != "person"]
    if others:
        return altered(world, fact, others)
    agent = next(name for name in people if name != role)
    known = set(fact.roles.values())
    return fact.having(**{agent: next(name for name in world.people(3) if name not in known)})


def _asked(language: Language, form: str, fact: Fact) -> str:
    return text(language, sentence(language, realise(language, form, fact), asks=True)).string
