"""Tatoeba: the nearest foreign sentence to each English one, in a single set.

Schema of google/xtreme, tatoeba.<iso3>.
"""

from stilts.tasks import FolderFiles, Task
from stilts.tasks._translations import read_translation
from stilts.tasks._xtreme import SINGLE_SET, xtreme

ISO3 = {
    "af": "afr", "ar": "ara", "bg": "bul", "bn": "ben", "de": "deu", "el": "ell", "es": "spa", "et": "est",
    "eu": "eus", "fa": "pes", "fi": "fin", "fr": "fra", "he": "heb", "hi": "hin", "hu": "hun", "id": "ind",
    "it": "ita", "ja": "jpn", "jv": "jav", "ka": "kat", "kk": "kaz", "ko": "kor", "ml": "mal", "mr": "mar",
    "nl": "nld", "pt": "por", "ru": "rus", "sw": "swh", "ta": "tam", "te": "tel", "th": "tha", "tl": "tgl",
    "tr": "tur", "ur": "urd", "vi": "vie", "zh": "cmn",
}  # fmt: skip
"""How the files call the languages: Persian is Iranian Persian, Swahili itself, Chinese Mandarin."""

# Languages with less than 1,000 pairs.
_SMALL = {"jv": 205, "ka": 746, "kk": 575, "ml": 687, "sw": 390, "ta": 307, "te": 234, "th": 548}

TASK = Task(
    name="tatoeba",
    type="retrieve",
    role="target",
    read=read_translation,
    languages=tuple(ISO3),
    splits={"dev": "test", "test": "test"},
    train_task=None,
    metric="nearest",
    max_length=512,
    typical_tokens=14,
    embedded_tokens=16,
    hub=(xtreme("tatoeba.{name}", sets=SINGLE_SET, names=ISO3),),
    folder=(
        FolderFiles(
            format="parallel",
            files=("tatoeba/**/tatoeba.{name}-eng.{name}", "tatoeba/**/tatoeba.{name}-eng.eng"),
            sets={"test": ("",)},
            names=ISO3,
        ),
        FolderFiles(
            format="parallel",
            files=("tatoeba/{language}-en.{language}", "tatoeba/{language}-en.en"),
            sets={"test": ("",)},
            unlike="XTREME's own download sorts the English side, so that no line tells its translation",
        ),
    ),
    sizes={"test": dict.fromkeys(ISO3, 1000) | _SMALL},
)
