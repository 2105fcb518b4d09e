"""Claims told in a language: each a sentence, the second about one and the same person with a pronoun."""

from collections.abc import Iterable, Sequence

from stilts.embedded.microworld.grammar import Language
from stilts.embedded.microworld.meaning import FRAMES, SEX
from stilts.embedded.microworld.sentences import Text, Token, realise, sentence, text
from stilts.embedded.microworld.truth import Claim


def told(language: Language, claims: Sequence[Claim]) -> Text:
    """The claims as running text."""
    return text(language, *sentences(language, claims))


def sentences(language: Language, claims: Iterable[Claim]) -> list[tuple[Token, ...]]:
    """The claims, a sentence each.

    A claim about the person whom alone the sentence before speaks of says "she" or "he", where its form is
    the plain statement.
    """
    said, before = [], ""
    for claim in claims:
        fact = claim.fact
        people = [name for role, name in fact.fillers if FRAMES[fact.frame].roles[role] == "person"]
        if claim.form == "say" and people and people[0] == before:
            fact = fact.having(agent="she" if SEX[before.split()[0]] == "f" else "he")
        said.append(sentence(language, realise(language, claim.form, fact)))
        before = people[0] if len(people) == 1 else ""
    return said


def asked(language: Language, role: str, claim: Claim) -> str:
    """The question for the filler of a role."""
    fact = claim.fact
    return text(language, sentence(language, realise(language, f"ask_{role}", fact), asks=True)).string
