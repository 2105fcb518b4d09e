"""Quora question pairs: do two questions ask the same? Schema of nyu-mll/glue, qqp."""

from functools import partial

from stilts.tasks import FolderFiles, Task
from stilts.tasks._pairs import PARAPHRASE_LABELS, glue, read_paraphrase

TASK = Task(
    name="qqp",
    type="classify",
    role="intermediate",
    read=partial(read_paraphrase, first="question1", second="question2"),
    train_task="qqp",
    labels=PARAPHRASE_LABELS,
    metric="accuracy_f1",
    max_length=256,
    typical_tokens=32,
    embedded_tokens=26,
    hub=(glue("qqp", dev="validation"),),
    # GLUE's own file has a few questions cut short, which every reader of it leaves out.
    folder=(
        FolderFiles(
            format="tsv",
            files=("qqp/{split}.tsv",),
            sets={"train": ("train",), "dev": ("dev",)},
            options={"damaged": 30},
        ),
    ),
    sizes={"train": 363_846, "dev": 40_430},
)
