"""MultiNLI: does the hypothesis follow from the premise? Schema of nyu-mll/glue, mnli."""

from stilts.tasks import Task
from stilts.tasks._pairs import NLI_LABELS, read_nli

TASK = Task(
    name="mnli",
    kind="classify",
    role="intermediate",
    read=read_nli,
    trains_on="mnli",
    labels=NLI_LABELS,
    scorer="accuracy",
    metrics=("accuracy",),
    max_length=256,
)
