"""ANLI+: all rounds of adversarial NLI with MNLI and SNLI, one three-way head.

Schemas of facebook/anli, nyu-mll/glue (mnli) and stanfordnlp/snli. MNLI is thus part of this task and a task
of its own: a mixture of both sees it under two names.
"""

from stilts.tasks import Task
from stilts.tasks._pairs import NLI_LABELS, read_nli

TASK = Task(
    name="anli_plus",
    kind="classify",
    role="intermediate",
    read=read_nli,
    trains_on="anli_plus",
    labels=NLI_LABELS,
    scorer="accuracy",
    metrics=("accuracy",),
    max_length=256,
)
