"""XNLI: MNLI's question in fifteen languages. All languages stand in one file.

Schemas of google/xtreme, XNLI, and of the original tables.
"""

from stilts.tasks import DEV_AND_TEST, FolderFiles, Task, codes
from stilts.tasks._pairs import NLI_LABELS, read_nli
from stilts.tasks._xtreme import xtreme

_SETS = {"dev": ("dev",), "test": ("test",)}

TASK = Task(
    name="xnli",
    type="classify",
    role="target",
    read=read_nli,
    languages=codes("ar bg de el en es fr hi ru sw th tr ur vi zh"),
    splits=DEV_AND_TEST,
    parallel=True,
    train_task="mnli",
    head_from="mnli",
    labels=NLI_LABELS,
    metric="accuracy",
    max_length=256,
    typical_tokens=42,
    embedded_tokens=21,
    hub=(xtreme("XNLI"),),
    folder=(
        FolderFiles(format="tsv", files=("xnli/**/xnli.{split}.tsv",), sets=_SETS),
        FolderFiles(
            format="tsv",
            files=("xnli/{split}-{language}.tsv",),
            sets=_SETS,
            options={
                "columns": ("sentence1", "sentence2", "gold_label"),
                "fields": "quoted",
                "add_language": "language",
            },
        ),
    ),
    sizes={"dev": 2490, "test": 5010},
    language_of=lambda row: str(row["language"]),
)
