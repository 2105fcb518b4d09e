"""TyDiQA-GoldP. Schema of google/xtreme, tydiqa: all languages in one file, told apart by their ids.

The published dev set is XTREME's test set. Training data exists in all languages; only English is used.
"""

from stilts.tasks import Row, Task
from stilts.tasks._questions import read_squad

CODES = {
    "arabic": "ar",
    "bengali": "bn",
    "english": "en",
    "finnish": "fi",
    "indonesian": "id",
    "korean": "ko",
    "russian": "ru",
    "swahili": "sw",
    "telugu": "te",
}


def language_of(row: Row) -> str:
    """Code of the language the id begins with; empty when it begins otherwise."""
    return CODES.get(str(row["id"]).split("-")[0], "")


TASK = Task(
    name="tydiqa",
    kind="span",
    role="target",
    read=read_squad,
    languages=tuple(CODES.values()),
    splits={"train": "train", "dev": "test", "test": "test"},
    trains_on="tydiqa",
    borrows="squad_v1",
    scorer="squad",
    metrics=("em", "f1"),
    max_length=384,
    language_of=language_of,
)
