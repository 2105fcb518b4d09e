"""PAWS-X: do two sentences with nearly the same words mean the same?

Schema of google/xtreme, PAWS-X.<code>.
"""

from functools import partial

from stilts.tasks import ALL_SPLITS, FolderFiles, Task, codes
from stilts.tasks._pairs import PARAPHRASE_LABELS, read_paraphrase
from stilts.tasks._xtreme import xtreme

TASK = Task(
    name="pawsx",
    type="classify",
    role="target",
    read=partial(read_paraphrase, first="sentence1", second="sentence2"),
    languages=codes("de en es fr ja ko zh"),
    splits=ALL_SPLITS,
    train_task="pawsx",
    head_from="qqp",
    labels=PARAPHRASE_LABELS,
    submitted_labels=("0", "1"),
    metric="accuracy",
    max_length=256,
    typical_tokens=62,
    embedded_tokens=22,
    hub=(xtreme("PAWS-X.{language}"),),
    folder=(
        FolderFiles(
            format="tsv",
            files=("pawsx/**/{language}/{split}.tsv",),
            sets={"train": ("train",), "dev": ("dev_2k",), "test": ("test_2k",)},
        ),
        FolderFiles(
            format="tsv",
            files=("pawsx/{split}-{language}.tsv",),
            sets={"train": ("train",), "dev": ("dev",), "test": ("test",)},
            options={"columns": ("sentence1", "sentence2", "label"), "fields": "quoted"},
        ),
    ),
    sizes={"train": {"en": 49_401}, "dev": 2000, "test": 2000},
)
