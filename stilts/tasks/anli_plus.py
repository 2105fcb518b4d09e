"""ANLI+: all rounds of adversarial NLI with MNLI and SNLI, one three-way head.

Schemas of facebook/anli, nyu-mll/glue (mnli) and stanfordnlp/snli. MNLI is thus part of this task and a task
of its own: a mixture of both sees it under two names.
"""

from stilts.tasks import FolderFiles, HubFiles, Task
from stilts.tasks._pairs import NLI_LABELS, glue, multinli, read_nli

TASK = Task(
    name="anli_plus",
    type="classify",
    role="intermediate",
    read=read_nli,
    train_task="anli_plus",
    labels=NLI_LABELS,
    metric="accuracy",
    max_length=256,
    typical_tokens=50,
    embedded_tokens=25,
    hub=(
        HubFiles(
            repo="stanfordnlp/snli",
            revision="cdb5c3d5eed6ead6e5a341c8e56e669bb666725b",
            config="plain_text",
            part="snli",
        ),
        glue("mnli", dev="validation_matched", part="mnli"),
        HubFiles(
            repo="facebook/anli",
            revision="8e4813d81f46d313dac7892e1c28076917cfcdf9",
            config="plain_text",
            sets={"train": ("train_r1", "train_r2", "train_r3"), "dev": ("dev_r1", "dev_r2", "dev_r3")},
            part="anli",
        ),
    ),
    folder=(
        FolderFiles(
            format="jsonl",
            files=("snli/**/snli_1.0_{split}.jsonl",),
            sets={"train": ("train",), "dev": ("dev",)},
            part="snli",
        ),
        *multinli(part="mnli"),
        FolderFiles(
            format="jsonl",
            files=("anli/**/{split}.jsonl",),
            sets={"train": ("R1/train", "R2/train", "R3/train"), "dev": ("R1/dev", "R2/dev", "R3/dev")},
            part="anli",
        ),
    ),
    sizes={"train": 1_104_934, "dev": 22_857},
)
