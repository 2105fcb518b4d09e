"""How a language is written down: tables of words, and a template for each way to say each fact.

A language is one file, `languages/<code>.py`, that defines `LANGUAGE = Language(...)`. It is data: tables
with stored forms, and one template for each sentence form of each frame in `meaning.FRAMES`.

Words (`table`)
    table("city", forms="nom | in", rows='''
        paris    | Paris | in/ADP Paris
        ''')
    One row a concept, its forms in columns; rows end at a line end or `;`. The concept may be followed by
    an agreement class ("rose f"), any short word the templates choose by; people have theirs (m, f) without.
    A form is one or more words `text/UPOS`. A word without a tag has the tag of its kind: PROPN for names,
    NOUN for things, jobs, venues, events and days, PRON for pronouns, NUM for years. `_` is a space inside
    one word; the form `-` has no words (a pronoun the language drops).
    `patterns={"in": "in/ADP {}"}` makes the forms that a row leaves out, from its first column ({}); a
    function of that text may stand in place of the pattern.
    [Brackets] mark the name itself, the part that answers a question and carries the entity tag; they may
    stand inside a word: `[안나]는`, `в/ADP [{}/NUM] году/NOUN`. Without brackets the name is the form less
    its leading ADP, DET, PART, SCONJ and its trailing ADP, PART.

Templates
    "bought.say": "{agent.nom} kaufte/VERB {time.am?} {theme.acc} {source.von?}"
    word/UPOS                      a word as it stands
    {role.form}                    the role's filler in that form
    {role.form?}                   the same, left out where the fact lacks the role
    {role.form@other}              the form `form.<class of other's filler>` if there is one, else `form`
    (role|m=купил|f=купила)/VERB   a word chosen by the agreement class of a role's filler; it may be empty
    The form names are the language's own. Every role of the frame appears, the optional ones with `?`.
    The first letter is made a capital and the closing mark is added; commas and stops take no space before.

People may have two names; `full_name` says how a full name takes a form: "both" names do, only the "last",
or the two are joined to one word by a "dot". English alone has CCG categories: `word/UPOS:NAME` and
`{role.form}:NAME` (the latter for the slot's preposition), NAME being a key of `Language.categories`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Literal

from stilts.embedded.microworld.meaning import KINDS, SEX

UPOS = (
    *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM"),
    *("PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"),
)
_SLOT = re.compile(r"\{(\w+)\.(\w+)(?:@(\w+))?(\?)?\}(?::(\S+))?")
_CHOICE = re.compile(r"\((\w+)\|([^)]*)\)/(\w+)(?::(\S+))?")


@dataclass(frozen=True, slots=True)
class Piece:
    """One word of a stored form; `core` is the part of it that belongs to the name itself."""

    text: str
    upos: str
    core: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A concept's words in one language."""

    kind: str
    agreement: str
    forms: Mapping[str, tuple[Piece, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Language:
    """All that is known of one language."""

    code: str
    name: str
    words: Mapping[str, Entry]
    templates: Mapping[str, str]
    """`frame.form` -> template."""
    years: Mapping[str, str]
    """Form -> pattern of a year's digits."""
    joins: Mapping[str, str]
    """`and`, `but` -> template with {first} and {second} for two sentences made one; `and i` is that for
    a second sentence that begins with an i."""
    stop: str = "."
    question: tuple[str, str] = ("", "?")
    """The marks before and after a question."""
    spaces: bool = True
    """Whether words are written apart."""
    spaced_marks: str = ""
    """Closing marks that do take a space before them."""
    glued: tuple[str, ...] = ()
    """Words written together with the next."""
    full_name: Literal["both", "last", "dot"] = "both"
    entity_tokens: Literal["words", "characters"] = "words"
    """What one token of the entity task is."""
    categories: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Word:
    """A template's word; `choices` by agreement class of `role` where it depends on one."""

    text: str
    upos: str
    category: str
    role: str = ""
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Slot:
    """A template's place for a role's filler."""

    role: str
    form: str
    agree: str
    optional: bool
    category: str


def table(
    kind: str, *, forms: str, rows: str, patterns: Mapping[str, str | Callable[[str], str]] | None = None
) -> dict[str, Entry]:
    """Rows of stored forms as entries; the layout is in the module's docstring."""
    names = [name.strip() for name in forms.split("|")]
    entries = {}
    for row in re.split(r"[;\n]", rows):
        if not row.strip():
            continue
        head, *cells = [cell.strip() for cell in row.split("|")]
        concept, _, agreement = head.partition(" ")
        stored = {name: cell for name, cell in zip(names, cells, strict=False) if cell}
        made = {name: _fill(pattern, cells[0]) for name, pattern in (patterns or {}).items()}
        entries[concept] = Entry(
            kind,
            agreement.strip() or SEX.get(concept, ""),
            {name: phrase(text, upos=KINDS[kind][0]) for name, text in {**made, **stored}.items()},
        )
    return entries


def _fill(pattern: str | Callable[[str], str], text: str) -> str:
    return pattern.replace("{}", text) if isinstance(pattern, str) else pattern(text)


def phrase(source: str, *, upos: str) -> tuple[Piece, ...]:
    """The words of a stored form."""
    pieces, inside, marked = [], False, "[" in source
    for word in () if source == "-" else source.split():
        text, _, tag = word.partition("/")
        start = 0 if inside else text.find("[")
        inside = inside or start >= 0
        bare = text.replace("[", "")
        stop = bare.find("]") if "]" in bare else len(bare)
        core = (start, stop) if inside else None
        if "]" in word:
            inside = False
        tag = tag.strip("[]") or upos
        pieces.append(Piece(bare.replace("]", "").replace("_", " "), _checked(tag, source), core))
    return tuple(pieces) if marked else _trimmed(pieces)


def _trimmed(pieces: list[Piece]) -> tuple[Piece, ...]:
    first, last = 0, len(pieces)
    while first < last and pieces[first].upos in {"ADP", "DET", "PART", "SCONJ"}:
        first += 1
    while last > first and pieces[last - 1].upos in {"ADP", "PART"}:
        last -= 1
    return tuple(
        replace(piece, core=(0, len(piece.text)) if first <= i < last else None)
        for i, piece in enumerate(pieces)
    )


def _checked(upos: str, source: str) -> str:
    if upos not in UPOS:
        raise ValueError(f"{upos!r} in {source!r} is no universal part of speech")
    return upos


@cache
def parse(template: str) -> tuple[Word | Slot, ...]:
    """The items of a template."""
    items: list[Word | Slot] = []
    for source in template.split():
        if match := _SLOT.fullmatch(source):
            role, form, agree, optional, category = match.groups()
            items.append(Slot(role, form, agree or "", bool(optional), category or ""))
        elif match := _CHOICE.fullmatch(source):
            role, pairs, upos, category = match.groups()
            choices = [pair.split("=") for pair in pairs.split("|")]
            texts = tuple((name, text.replace("_", " ")) for name, text in choices)
            items.append(Word("", _checked(upos, template), category or "", role, texts))
        else:
            text, _, tag = source.partition("/")
            upos, _, category = tag.partition(":")
            if not text or set(text) & set("{}()|"):
                raise ValueError(
                    f"{source!r} in {template!r} is neither word/UPOS, {{slot}} nor (choice)/UPOS"
                )
            items.append(Word(text.replace("_", " "), _checked(upos, template), category))
    return tuple(items)
