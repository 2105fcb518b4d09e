"""MLQA: questions and passages of the same language. Schema of google/xtreme, MLQA.<language>.<language>."""

from stilts.tasks import DEV_AND_TEST, FolderFiles, Task, codes
from stilts.tasks._questions import read_squad
from stilts.tasks._xtreme import xtreme

TASK = Task(
    name="mlqa",
    type="span",
    role="target",
    read=read_squad,
    languages=codes("ar de en es hi vi zh"),
    splits=DEV_AND_TEST,
    train_task="squad_v1",
    head_from="squad_v1",
    metric="mlqa",
    max_length=384,
    typical_tokens=205,
    embedded_tokens=37,
    hub=(xtreme("MLQA.{language}.{language}"),),
    folder=(
        FolderFiles(
            format="squad_json",
            files=("mlqa/**/{split}-context-{language}-question-{language}.json",),
            sets={"dev": ("dev",), "test": ("test",)},
        ),
    ),
    sizes={
        "dev": {"ar": 517, "de": 512, "en": 1148, "es": 500, "hi": 507, "vi": 511, "zh": 504},
        "test": {"ar": 5335, "de": 4517, "en": 11_590, "es": 5253, "hi": 4918, "vi": 5495, "zh": 5137},
    },
)
