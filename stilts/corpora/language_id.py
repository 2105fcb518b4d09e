"""What shows that text is in the language it is said to be in: its script, and a few words of its own.

Coarse on purpose: it finds a file under another language's name, or English rows in it, and never judges a
single short sentence.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

SCRIPTS: Mapping[str, tuple[str, ...]] = {
    "ar": ("ARABIC",), "bg": ("CYRILLIC",), "bn": ("BENGALI",), "el": ("GREEK",), "fa": ("ARABIC",),
    "he": ("HEBREW",), "hi": ("DEVANAGARI",), "ja": ("HIRAGANA", "KATAKANA", "CJK"), "ka": ("GEORGIAN",),
    "kk": ("CYRILLIC",), "ko": ("HANGUL",), "ml": ("MALAYALAM",), "mr": ("DEVANAGARI",), "my": ("MYANMAR",),
    "ru": ("CYRILLIC",), "ta": ("TAMIL",), "te": ("TELUGU",), "th": ("THAI",), "ur": ("ARABIC",),
    "zh": ("CJK",),
}  # fmt: skip
"""By language, the first words of its letters' Unicode names; Latin where absent."""

UNSPACED = ("ja", "my", "th", "zh")
"""Languages that do not put spaces between words."""

# Frequent words, few of which other languages in the same script have as well.
WORDS: Mapping[str, str] = {
    "af": "nie het wat hulle maar vir baie hy sy ook gewees",
    "de": "und nicht ist das eine mit auf wurde auch sich dem den",
    "en": "the of and to was that with for which from are this",
    "es": "los las una del por fue como pero con para que y",
    "et": "ja ning oli kui ka see selle mis aga oma ei",
    "eu": "eta da zen dira ere bat izan baina zuen du",
    "fi": "ja oli ovat mutta tai sekä myös hän joka kun ei",
    "fr": "les des est dans une pour qui sur pas avec et le",
    "hu": "az egy és hogy nem volt is meg vagy amely",
    "id": "dan yang di dari dengan pada adalah tidak ini itu untuk",
    "it": "il di che della nel sono gli una per non è",
    "jv": "lan ing kang sing iku saka ana karo iki ora",
    "ms": "dan yang di dari dengan pada adalah tidak ini itu untuk",
    "nl": "het een van niet zijn werd voor maar ook aan wordt",
    "pt": "os uma não foi com para dos das como mais em que",
    "sw": "ya wa na kwa ni katika cha la kuwa hii lakini",
    "tl": "ang mga ng sa ay hindi siya ito niya kung",
    "tr": "ve bir bu için olarak ile çok daha olan da",
    "vi": "của và là không được có trong một những cho người",
    "yo": "ni ti ń àti tí ó wọ́n ọ̀ sí náà nínú",
    "bg": "се е че със беше са ще като това който",
    "ru": "что это был была из его для или чтобы они",
    "kk": "және бір мен бұл үшін деп болып жылы осы еді",
    "ar": "من في على إلى التي الذي هذا كان أن عن",
    "fa": "از در به که این است را با برای بود",
    "ur": "کے میں کی ہے سے کو اور کا نے پر",
    "hi": "है के में की से और का को हैं नहीं",
    "mr": "आहे आणि होते या मध्ये ते हे आहेत नाही व",
}

_ENOUGH_LETTERS = 200
_ENOUGH_WORDS = 40
_SAMPLED = 4000
"""Texts whose words are counted: enough to know a language by."""
_AROUND = ".,;:!?\"'()[]\u00ab\u00bb\u201c\u201d\u2018\u2019\u0964\u060c\u061f\u06d4"
"""Marks that stand next to words."""
_LATIN_WORD = re.compile(r"[A-Za-z]{3,}")


@dataclass(slots=True)
class LanguageGuess:
    """Evidence about the language of texts that are said to be in `code`."""

    code: str
    letters: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)
    texts: int = 0
    foreign: int = 0
    """Texts of several Latin words without one letter of the language's script."""

    def add(self, text: str) -> bool:
        """Takes a text in; whether it looks foreign by itself."""
        self.texts += 1
        self.letters.update(text)
        if self.texts <= _SAMPLED and self.code not in UNSPACED:
            self.words.update(word.strip(_AROUND) for word in text.lower().split())
        if self.code not in SCRIPTS or _has_own(self.code, text):
            return False
        foreign = len(_LATIN_WORD.findall(text)) >= 4
        self.foreign += foreign
        return foreign

    def share(self) -> float | None:
        """Share of the letters that belong to the language's script; None where there are too few."""
        counted = {letter: n for letter, n in self.letters.items() if letter.isalpha()}
        total = sum(counted.values())
        if total < _ENOUGH_LETTERS:
            return None
        own = SCRIPTS.get(self.code, ("LATIN",))
        return sum(n for letter, n in counted.items() if _script(letter) in own) / total

    def reads_like(self) -> str | None:
        """Another language of the same script that the words rather belong to; None: there is none."""
        if self.code not in WORDS:
            return None
        hits = {code: self._hits(code) for code in WORDS if SCRIPTS.get(code) == SCRIPTS.get(self.code)}
        best = max(hits, key=lambda code: hits[code])
        return best if hits[best] >= _ENOUGH_WORDS and hits[best] > 3 * hits[self.code] else None

    def _hits(self, code: str) -> int:
        return sum(self.words[word] for word in WORDS[code].split())


def read_off(code: str, texts: Iterable[str]) -> LanguageGuess:
    """Evidence from texts."""
    guess = LanguageGuess(code)
    for text in texts:
        guess.add(text)
    return guess


@cache
def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


def _has_own(code: str, text: str) -> bool:
    return any(_script(letter) in SCRIPTS[code] for letter in text if ord(letter) > 0x7F)
