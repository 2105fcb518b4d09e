"""TyDiQA-GoldP. Schema of google/xtreme, tydiqa: all languages in one file, told apart by their ids.

The published dev set is XTREME's test set. Training data exists in all languages; only English is used.
"""

from stilts.tasks import FolderFiles, Row, Task
from stilts.tasks._questions import read_squad
from stilts.tasks._xtreme import SINGLE_SET, xtreme

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


_SIZES = dict(zip(CODES.values(), (921, 113, 440, 782, 565, 276, 812, 499, 669), strict=True))


def language_of(row: Row) -> str:
    """Code of the language that the id begins with, or its unknown name; empty for an id without a name."""
    name, dash, _ = str(row["id"]).partition("-")
    return CODES.get(name, name if dash else "")


TASK = Task(
    name="tydiqa",
    type="span",
    role="target",
    read=read_squad,
    languages=tuple(CODES.values()),
    # Its development sets are what is reported: checkpoints are chosen on passages held out of training.
    splits={"train": "train", "test": "test"},
    train_task="tydiqa",
    head_from="squad_v1",
    metric="squad",
    max_length=384,
    typical_tokens=180,
    embedded_tokens=38,
    hub=(xtreme("tydiqa", sets={"train": ("train",), **SINGLE_SET}),),
    # All languages in a file, as published; then as XTREME cuts it, and its development files by language.
    folder=tuple(
        FolderFiles(
            format="squad_json",
            files=(f"tydiqa/**/{file}.json",),
            sets={split: ("",)},
            names={code: name for name, code in CODES.items()},
        )
        for split, file in (
            ("train", "tydiqa-goldp-v1.1-train"),
            ("train", "tydiqa.goldp.{language}.train"),
            ("test", "tydiqa-goldp-v1.1-dev"),
            ("test", "tydiqa-goldp-dev-{name}"),
            ("test", "tydiqa.goldp.{language}.dev"),
        )
    ),
    sizes={
        "train": {"en": 3696},
        "test": _SIZES,
    },
    language_of=language_of,
)
