"""PAWS-X: do two sentences with nearly the same words mean the same?

Schema of google/xtreme, PAWS-X.<code>.
"""

from functools import partial

from stilts.tasks import ALL_SPLITS, Task, codes
from stilts.tasks._pairs import PARAPHRASE_LABELS, read_paraphrase

TASK = Task(
    name="pawsx",
    kind="classify",
    role="target",
    read=partial(read_paraphrase, first="sentence1", second="sentence2"),
    languages=codes("de en es fr ja ko zh"),
    splits=ALL_SPLITS,
    trains_on="pawsx",
    borrows="qqp",
    labels=PARAPHRASE_LABELS,
    scorer="accuracy",
    metrics=("accuracy",),
    max_length=256,
)
