"""From facts to sentences: a language's templates filled from its tables, then laid out as text."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache

from stilts.embedded.microworld.grammar import Language, Piece, Slot, Word, parse, phrase
from stilts.embedded.microworld.meaning import KINDS, Fact

_OPENING, _CLOSING = set("¿¡«“„("), set(".,?!;:%)»”。，？！；：、؟،؛…")


@dataclass(frozen=True, slots=True)
class Token:
    """A word in its sentence."""

    text: str
    upos: str
    role: str = ""
    core: tuple[int, int] | None = None
    entity: str = ""
    category: str = ""
    begins_sentence: bool = False


@cache
def _year(pattern: str, digits: str) -> tuple[Piece, ...]:
    return phrase(pattern.replace("{}", digits), upos="NUM")


def agreement(language: Language, concept: str) -> str:
    """The agreement class of a concept's words."""
    return language.words[concept.split()[0]].agreement if not concept.isdigit() else ""


def pieces_of(language: Language, concept: str, form: str) -> tuple[Piece, ...]:
    """A concept's words in one form; a person's with the surname, where it has one.

    Raises:
        KeyError: the language lacks the concept or the form.
    """
    if concept.isdigit():
        return _year(language.years[form], concept)
    if " " not in concept:
        return _form(language, concept, form)
    return _full_name(language, concept, form)


def _form(language: Language, concept: str, form: str) -> tuple[Piece, ...]:
    forms = language.words[concept].forms
    if form not in forms:
        form = form.partition(".")[0]
    if form not in forms:
        raise KeyError(f"{language.code}: {concept!r} has no form {form!r}")
    return forms[form]


def _full_name(language: Language, concept: str, form: str) -> tuple[Piece, ...]:
    first, last = concept.split()
    surname = language.words[last].forms
    if language.full_name == "last":
        return (*_form(language, first, "nom"), *surname.get(form, surname["nom"]))
    given = _form(language, first, form)
    if language.full_name == "both":
        return (*given, *surname.get(form, surname["nom"]))
    joined = "·" + surname["nom"][0].text
    assert given[-1].core == (0, len(given[-1].text)), "a dotted name has nothing after it"
    text = given[-1].text + joined
    return (*given[:-1], Piece(text, given[-1].upos, (0, len(text))))


def realise(language: Language, form: str, fact: Fact) -> tuple[Token, ...]:
    """The words of a fact said in one sentence form, without capital and closing mark."""
    tokens: list[Token] = []
    fillers = fact.roles
    for item in parse(language.templates[f"{fact.frame}.{form}"]):
        if isinstance(item, Word):
            text = item.text
            if item.choices:
                text = dict(item.choices)[agreement(language, fillers[item.role])]
            if text:
                tokens.append(Token(text, item.upos, category=item.category))
        elif not item.optional or item.role in fillers:
            tokens += _filler(language, item, fillers)
    return tuple(tokens)


def _filler(language: Language, slot: Slot, fillers: Mapping[str, str]) -> Iterable[Token]:
    concept = fillers[slot.role]
    form = f"{slot.form}.{agreement(language, fillers[slot.agree])}" if slot.agree else slot.form
    kind = "year" if concept.isdigit() else language.words[concept.split()[0]].kind
    for piece in pieces_of(language, concept, form):
        entity = KINDS[kind][1] if piece.core else ""
        category = slot.category if piece.upos in {"ADP", "ADV"} else ""
        yield Token(piece.text, piece.upos, slot.role, piece.core, entity, category)


def join(language: Language, how: str, first: Iterable[Token], second: Iterable[Token]) -> tuple[Token, ...]:
    """Two sentences' words as those of one; the roles of the second become "second agent" and so on."""
    tokens: list[Token] = []
    first, second = tuple(first), tuple(second)
    special = f"{how} {second[0].text[0].lower()}"
    for source in language.joins.get(special, language.joins[how]).split():
        if source == "{first}":
            tokens += first
        elif source == "{second}":
            tokens += [replace(token, role=token.role and f"second {token.role}") for token in second]
        else:
            text, _, tag = source.partition("/")
            upos, _, category = tag.partition(":")
            tokens.append(Token(text, upos, category=category))
    return tuple(tokens)


def sentence(language: Language, tokens: Iterable[Token], *, asks: bool = False) -> tuple[Token, ...]:
    """Words made a sentence: capital, marks."""
    before, after = language.question if asks else ("", language.stop)
    words = list(tokens)
    words[0] = replace(words[0], text=_capital(words[0].text))
    marks = [Token(mark, "PUNCT") if mark else None for mark in (before, after)]
    whole = [token for token in (marks[0], *words, marks[1]) if token]
    return (replace(whole[0], begins_sentence=True), *whole[1:])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


@dataclass(frozen=True, slots=True)
class Text:
    """Sentences as one string; `places[i]` is where token i stands in it."""

    string: str
    tokens: tuple[Token, ...]
    places: tuple[tuple[int, int], ...]

    def span(self, role: str) -> tuple[int, int]:
        """Where the name that fills a role stands: first and last character, the last excluded."""
        cores = [
            (place[0] + token.core[0], place[0] + token.core[1])
            for token, place in zip(self.tokens, self.places, strict=True)
            if token.role == role and token.core
        ]
        return cores[0][0], cores[-1][1]


def text(language: Language, *sentences: Iterable[Token]) -> Text:
    """Sentences laid out as running text."""
    tokens = tuple(token for words in sentences for token in words)
    string, places = "", []
    for i, token in enumerate(tokens):
        if i and _apart(language, tokens[i - 1], token):
            string += " "
        places.append((len(string), len(string) + len(token.text)))
        string += token.text
    return Text(string, tokens, tuple(places))


def _apart(language: Language, left: Token, right: Token) -> bool:
    if not language.spaces:
        return False
    if right.begins_sentence:
        return True
    if right.text in language.spaced_marks:
        return True
    if left.text in language.glued:
        return False
    glued = right.text in _CLOSING or right.text.startswith(("'s", "’s", "-")) or left.text in _OPENING
    return not glued and not left.text.endswith(("'", "’"))
