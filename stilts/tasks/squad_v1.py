"""SQuAD v1.1: the answer is a span of the passage. Schema of rajpurkar/squad."""

from stilts.tasks import Task
from stilts.tasks._questions import read_squad

TASK = Task(
    name="squad_v1",
    kind="span",
    role="intermediate",
    read=read_squad,
    trains_on="squad_v1",
    scorer="squad",
    metrics=("em", "f1"),
    max_length=384,
)
