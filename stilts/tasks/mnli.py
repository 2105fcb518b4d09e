"""MultiNLI: does the hypothesis follow from the premise? Schema of nyu-mll/glue, mnli."""

from stilts.tasks import Task
from stilts.tasks._pairs import NLI_LABELS, glue, multinli, read_nli

TASK = Task(
    name="mnli",
    type="classify",
    role="intermediate",
    read=read_nli,
    train_task="mnli",
    labels=NLI_LABELS,
    metric="accuracy",
    max_length=256,
    typical_tokens=42,
    embedded_tokens=21,
    hub=(glue("mnli", dev="validation_matched"),),
    folder=multinli(),
    sizes={"train": 392_702, "dev": 9815},
)
