"""Sentences with a tag on each word: parts of speech, named entities, CCG categories."""

from collections.abc import Sequence

from stilts.embedded.microworld.grammar import Language
from stilts.embedded.microworld.inference import forms_of
from stilts.embedded.microworld.meaning import FRAMES
from stilts.embedded.microworld.sentences import Token, join, realise, sentence
from stilts.embedded.microworld.truth import Claim
from stilts.embedded.microworld.world import World, draw


def tagged(language: Language, seed: int, split: str, index: int, *, name: str) -> tuple[Token, ...]:
    """The words of sentence `index` of a split."""
    world = draw(seed, name, split, index, split=split)
    claims = [_claim(world, asks=name != "ccg")]
    if world.chance(0.4) and not claims[0].form.startswith("ask"):
        claims.append(_claim(world, asks=False))
    words = [realise(language, claim.form, claim.fact) for claim in claims]
    how = world.one(["and", "but"])
    whole = join(language, how, *words) if len(words) == 2 else words[0]
    return sentence(language, whole, asks=claims[0].form.startswith("ask"))


def _claim(world: World, *, asks: bool) -> Claim:
    frame = world.one(sorted(FRAMES))
    optional = [role for role in sorted(FRAMES[frame].optional) if world.chance(0.6)]
    people = world.people(3, full=world.chance(0.5))
    fact = world.fact(frame, people, optional=optional)
    holds = world.chance(0.8)
    form = world.one(forms_of(fact, holds))
    if form == "say" and "agent" in fact.roles and world.chance(0.2):
        fact = fact.having(agent=world.one(["she", "he"]))
    if asks and world.chance(0.2):
        role = world.one(FRAMES[frame].asks)
        return Claim(world.fact(frame, people, optional=optional), True, f"ask_{role}")
    return Claim(fact, holds, form)


def entities(language: Language, words: Sequence[Token]) -> list[tuple[str, str]]:
    """(token, IOB2 tag), in the tokens that the language's entity sets have: words or characters."""
    found, before = [], ("", "")
    for word in words:
        parts = list(word.text) if language.entity_tokens == "characters" else word.text.split(" ")
        for i, part in enumerate(parts):
            inside = i > 0 or (word.entity and (word.entity, word.role) == before)
            found.append((part, f"{'I' if inside else 'B'}-{word.entity}" if word.entity else "O"))
        before = (word.entity, word.role)
    return found


def category(language: Language, words: Sequence[Token], place: int) -> str:
    """The CCG category of a word: as its template says, or by its place in a name or noun phrase."""
    word = words[place]
    named = language.categories.get(word.category, "")
    if word.upos == "ADV" and word.role:
        return {"VMOD": r"(S\NP)\(S\NP)", "SMOD": "S/S"}[word.category]
    if named:
        return named
    follows = place + 1 < len(words) and words[place + 1].role == word.role != ""
    if word.upos == "PUNCT":
        return word.text
    if word.upos in {"DET", "PRON"}:
        return {"DET": "NP[nb]/N", "PRON": "NP"}[word.upos]
    return "N/N" if word.upos == "ADJ" or follows else "N"
