"""What a language file lacks or has wrong, and everything it can say, for its author to read."""

from collections.abc import Iterator
from itertools import product

from stilts.embedded.microworld.grammar import Entry, Language, Slot, Word, parse
from stilts.embedded.microworld.meaning import CONCEPTS, FRAMES, Fact, fact
from stilts.embedded.microworld.sentences import realise, sentence, text


def complaints(language: Language) -> list[str]:
    """One line for each thing that is missing or wrong; empty for a language that is complete."""
    found = [
        f"concept {name!r} ({kind}) is missing"
        for name, kind in CONCEPTS.items()
        if name not in language.words
    ]
    found += [f"concept {name!r} does not exist" for name in language.words if name not in CONCEPTS]
    for name, entry in language.words.items():
        if CONCEPTS.get(name, entry.kind) != entry.kind:
            found.append(f"concept {name!r} is a {CONCEPTS[name]}, not a {entry.kind}")
    found += [f"join {how!r} is missing" for how in ("and", "but") if how not in language.joins]
    wanted = {f"{name}.{form}" for name, frame in FRAMES.items() for form in frame.forms}
    found += [f"template {key!r} is missing" for key in sorted(wanted - set(language.templates))]
    found += [f"template {key!r} does not exist" for key in sorted(set(language.templates) - wanted)]
    for key in sorted(wanted & set(language.templates)):
        found += [f"template {key!r}: {what}" for what in _template(language, key)]
    return found


def _template(language: Language, key: str) -> Iterator[str]:
    name, _, form = key.partition(".")
    frame, asked = FRAMES[name], form.removeprefix("ask_") if form.startswith("ask_") else ""
    items = parse(language.templates[key])
    slots = {item.role: item for item in items if isinstance(item, Slot)}
    always = set(frame.roles) - frame.optional
    if form == "front":
        always |= frame.front_needs
    if form == "turn":
        always |= frame.turn_needs
    for role in sorted(set(frame.roles) - {asked} - set(slots)):
        yield f"role {role!r} does not appear"
    for role, slot in slots.items():
        if role not in frame.roles or role == asked:
            yield f"role {role!r} may not appear"
        elif slot.optional != (role not in always):
            yield f"role {role!r} {'may not' if slot.optional else 'has to'} have a question mark"
        else:
            yield from _forms(language, slot, kind=frame.roles[role], named=form == "say" and role == "agent")
    for item in items:
        if isinstance(item, Word) and item.choices:
            yield from _choice(language, item, kind=frame.roles.get(item.role, ""))


def _forms(language: Language, slot: Slot, *, kind: str, named: bool) -> Iterator[str]:
    if kind == "year":
        if slot.form not in language.years:
            yield f"years have no form {slot.form!r}"
        return
    kinds = {kind, "pronoun"} if named and kind == "person" else {kind}
    for name, entry in language.words.items():
        if entry.kind in kinds:
            variants = [f"{slot.form}.{sex}" for sex in ("m", "f")] if slot.agree else [slot.form]
            for variant in variants:
                if variant not in entry.forms and slot.form not in entry.forms:
                    yield f"{name!r} has no form {variant!r}"


def _choice(language: Language, word: Word, *, kind: str) -> Iterator[str]:
    known = {choice for choice, _ in word.choices}
    classes = {entry.agreement for entry in language.words.values() if entry.kind == kind}
    for missing in sorted(classes - known):
        yield f"the choice by {word.role!r} lacks the class {missing!r}"


def specimens(language: Language) -> Iterator[tuple[str, str]]:
    """Every sentence form of every frame with a few fillers: (`frame.form`, the sentence)."""
    for name, frame in FRAMES.items():
        for form in frame.forms:
            for said in _facts(name, form):
                words = realise(language, form, said)
                yield f"{name}.{form}", text(language, sentence(language, words, asks="ask" in form)).string


_EXAMPLES = {
    "person": ("anna", "peter rossi", "emma mori"),
    "city": ("rome", "los_angeles"),
    "country": ("italy", "america"),
    "org": ("norvik", "alpina_group"),
    "job": ("doctor", "cook"),
    "thing": ("old_guitar", "apple"),
    "venue": ("museum", "station"),
    "event": ("wedding", "dinner"),
    "day": ("monday", "yesterday"),
    "year": ("1964", "2003"),
}


def _facts(name: str, form: str) -> Iterator[Fact]:
    frame = FRAMES[name]
    needed = frame.front_needs if form == "front" else frame.turn_needs if form == "turn" else frozenset()
    asked = {form.removeprefix("ask_")}
    for turn, full in product(range(2), (True, False)):
        people = list(_EXAMPLES["person"][turn:] + _EXAMPLES["person"][:turn])
        spared = frame.optional - needed - asked - frame.any_of
        kept = [role for role in frame.roles if full or role not in spared]
        fillers = {
            role: people.pop(0) if frame.roles[role] == "person" else _EXAMPLES[frame.roles[role]][turn]
            for role in kept
        }
        if full or len(kept) < len(frame.roles):
            yield fact(name, **fillers)
        if form == "say" and "agent" in fillers:
            yield fact(name, **{**fillers, "agent": ("she", "he")[turn]})


def forms(language: Language) -> Iterator[str]:
    """Every concept with its forms, one line each."""
    for name, entry in sorted(language.words.items(), key=lambda item: (item[1].kind, item[0])):
        yield f"{entry.kind} {name} {entry.agreement}: {_shown(entry)}"


def _shown(entry: Entry) -> str:
    return " | ".join(
        f"{form}: {' '.join(f'{piece.text}/{piece.upos}' for piece in pieces)}"
        for form, pieces in entry.forms.items()
    )
