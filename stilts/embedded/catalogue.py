"""Human translations from Django's message catalogues: the embedded retrieval targets.

The wheel `django` carries a catalogue per language in which volunteers translated the framework's English
messages. Django itself is never imported. `pairs` gives the sentences, `tatoeba_rows` the same as rows of
google/xtreme, `bucc_pools` two unequal sides to mine the pairs from.
"""

import hashlib
import importlib.util
import re
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Literal, TypedDict

from hpc.errors import UserError, unknown_name
from hpc.files import matching

FOLDERS = {"zh": "zh_Hans"}
"""Where Django's name of a language is not XTREME's."""

TATOEBA_CODES = {
    "af": "afr", "ar": "ara", "bg": "bul", "bn": "ben", "de": "deu", "el": "ell", "es": "spa", "et": "est",
    "eu": "eus", "fa": "pes", "fi": "fin", "fr": "fra", "he": "heb", "hi": "hin", "hu": "hun", "id": "ind",
    "it": "ita", "ja": "jpn", "jv": "jav", "ka": "kat", "kk": "kaz", "ko": "kor", "ml": "mal", "mr": "mar",
    "nl": "nld", "pt": "por", "ru": "rus", "sw": "swh", "ta": "tam", "te": "tel", "th": "tha", "tl": "tgl",
    "tr": "tur", "ur": "urd", "vi": "vie", "zh": "cmn",
}  # fmt: skip
BUCC_LANGUAGES = ("de", "fr", "ru", "zh")
LANGUAGES = tuple(sorted([*TATOEBA_CODES, "ms", "my", "yo"]))
"""XTREME's languages but English."""

MIN_PAIRS = 50
MIN_WORDS = 4
MIN_DISTRACTOR_WORDS = 2
DEV_SHARE = 1 / 3
_PLACEHOLDER = re.compile(r"%[(\w%]|[{}]")
_MARKUP = re.compile(r"</?\w|&\w+;")

Pair = tuple[str, str]


class TatoebaRow(TypedDict):
    """A row of google/xtreme's `tatoeba.<iso3>`; the source is the foreign sentence."""

    source_sentence: str
    target_sentence: str
    source_lang: str
    target_lang: str


class Pools(TypedDict):
    """Two sides of (id, text) to mine, and the pairs of ids to be found."""

    foreign: list[tuple[str, str]]
    english: list[tuple[str, str]]
    gold: list[tuple[str, str]]


def languages() -> tuple[str, ...]:
    """XTREME's languages with at least `MIN_PAIRS` pairs."""
    return tuple(language for language in LANGUAGES if len(pairs(language)) >= MIN_PAIRS)


def pairs(language: str) -> list[Pair]:
    """(English, foreign) sentences in a stable order that follows neither alphabet nor application.

    Sentences of at least four English words without placeholders and markup; no sentence occurs twice on
    either side, and none is left untranslated.
    """
    _check(language, LANGUAGES)
    found: list[Pair] = []
    english_seen: set[str] = set()
    foreign_seen: set[str] = set()
    for english, foreign in sorted(_messages(language), key=lambda pair: _rank(pair[0])):
        if not _is_sentence(english, foreign) or english in english_seen or foreign in foreign_seen:
            continue
        english_seen.add(english)
        foreign_seen.add(foreign)
        found.append((english, foreign))
    return found


def tatoeba_rows(language: str, limit: int | None = None) -> list[TatoebaRow]:
    """The first `limit` pairs as google/xtreme has Tatoeba's."""
    _check(language, TATOEBA_CODES)
    return [
        TatoebaRow(
            source_sentence=foreign,
            target_sentence=english,
            source_lang=TATOEBA_CODES[language],
            target_lang="eng",
        )
        for english, foreign in pairs(language)[:limit]
    ]


def bucc_pools(language: str, split: Literal["dev", "test"]) -> Pools:
    """Two sides to mine as in BUCC 2018: the pairs, hidden among strings whose translation is not there.

    The catalogue's other strings (short ones, ones with placeholders) are the distractors. Each is put on one
    side only, chosen by its hash as the split is: about a third of everything is dev, the rest test.
    """
    _check(language, BUCC_LANGUAGES)
    if split not in ("dev", "test"):
        raise unknown_name("split of bucc2018", split, ("dev", "test"))
    gold = pairs(language)
    mine = [pair for pair in gold if _split(pair[0]) == split]
    english = {english for english, _ in mine}
    foreign = {foreign for _, foreign in mine}
    for english_text, foreign_text in _distractors(language, gold):
        if _split(english_text) != split:
            continue
        if _fraction("side", english_text) < 0.5:
            english.add(english_text)
        else:
            foreign.add(foreign_text)
    english_ids = _numbered("en", english)
    foreign_ids = _numbered(language, foreign)
    return Pools(
        foreign=[(name, text) for text, name in foreign_ids.items()],
        english=[(name, text) for text, name in english_ids.items()],
        gold=sorted((foreign_ids[foreign], english_ids[english]) for english, foreign in mine),
    )


def _distractors(language: str, gold: list[Pair]) -> Iterator[Pair]:
    """Messages that share no text with a pair or one another, so that no second pair hides among them."""
    taken = {_letters(text) for pair in gold for text in pair}
    for english, foreign in _messages(language):
        texts = {_letters(english), _letters(foreign)}
        if _is_distractor(english, foreign) and taken.isdisjoint(texts):
            yield english, foreign
        taken |= texts


@cache
def _messages(language: str) -> tuple[Pair, ...]:
    """Every (English, foreign) message of all of Django's applications, white space put straight."""
    folder = FOLDERS.get(language, language)
    found: dict[str, str] = {}
    paths = (path for locale in _locales() for path in matching(locale / folder, "*/django*.mo"))
    for path in paths:
        for english, foreign in _read_mo(path):
            # The first translation of a message stays; \0 parts the forms of a plural, \4 the context.
            message, translation = " ".join(english.rpartition("\4")[2].split()), " ".join(foreign.split())
            if message and translation and "\0" not in message:
                found.setdefault(message, translation)
    return tuple(found.items())


@cache
def _locales() -> tuple[Path, ...]:
    spec = importlib.util.find_spec("django")
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            "the embedded retrieval data are Django's message catalogues, and django is not installed here: "
            "pip install 'stilts[mini]'",
            code=3,
        )
    package = Path(spec.submodule_search_locations[0])
    return tuple(sorted([package / "conf" / "locale", *matching(package, "contrib/*/locale")]))


def _read_mo(path: Path) -> Iterator[Pair]:
    """The messages of a compiled gettext catalogue, in its order (gettext itself does not list them)."""
    data = path.read_bytes()
    order = "<" if data[:4] == b"\xde\x12\x04\x95" else ">"
    _version, count, originals, translations = struct.unpack_from(f"{order}4I", data, 4)

    def text(table: int, index: int) -> str:
        length, start = struct.unpack_from(f"{order}2I", data, table + 8 * index)
        return data[start : start + length].decode()

    for index in range(count):
        yield text(originals, index), text(translations, index)


def _is_sentence(english: str, foreign: str) -> bool:
    both = f"{english} {foreign}"
    plain = not _PLACEHOLDER.search(both) and not _MARKUP.search(both)
    return plain and len(english.split()) >= MIN_WORDS and english != foreign


def _is_distractor(english: str, foreign: str) -> bool:
    plain = not _MARKUP.search(f"{english} {foreign}")
    return plain and len(english.split()) >= MIN_DISTRACTOR_WORDS and english != foreign


def _letters(text: str) -> str:
    """Equal for `New password:` and `new password`, whose translations are translations of both."""
    return "".join(character for character in text.casefold() if character.isalnum())


def _check(language: str, known: tuple[str, ...] | dict[str, str]) -> None:
    if language not in known:
        raise unknown_name("language", language, known, where="the message catalogues")


def _split(english: str) -> str:
    return "dev" if _fraction("split", english) < DEV_SHARE else "test"


def _numbered(prefix: str, texts: set[str]) -> dict[str, str]:
    """Ids in an order that does not tell the pairs from the distractors."""
    return {text: f"{prefix}-{i:09d}" for i, text in enumerate(sorted(texts, key=_rank), start=1)}


def _rank(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _fraction(purpose: str, text: str) -> float:
    """A number in [0, 1) that depends on the text alone, another one for another purpose."""
    digest = hashlib.sha256(f"{purpose}\0{text}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
