"""Quora question pairs: do two questions ask the same? Schema of nyu-mll/glue, qqp."""

from functools import partial

from stilts.tasks import Task
from stilts.tasks._pairs import PARAPHRASE_LABELS, read_paraphrase

TASK = Task(
    name="qqp",
    kind="classify",
    role="intermediate",
    read=partial(read_paraphrase, first="question1", second="question2"),
    trains_on="qqp",
    labels=PARAPHRASE_LABELS,
    scorer="accuracy",
    metrics=("accuracy",),
    max_length=256,
)
