"""SQuAD v2.0: as v1.1, and some questions have no answer. Schema of rajpurkar/squad_v2."""

from stilts.tasks import Task
from stilts.tasks._questions import read_squad

TASK = Task(
    name="squad_v2",
    kind="span",
    role="intermediate",
    read=read_squad,
    trains_on="squad_v2",
    scorer="squad_v2",
    metrics=("em", "f1"),
    max_length=384,
)
