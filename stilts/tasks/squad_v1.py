"""SQuAD v1.1: the answer is a span of the passage. Schema of rajpurkar/squad."""

from stilts.tasks import HubFiles, Task
from stilts.tasks._questions import read_squad, squad_files

TASK = Task(
    name="squad_v1",
    type="span",
    role="intermediate",
    read=read_squad,
    train_task="squad_v1",
    metric="squad",
    max_length=384,
    typical_tokens=205,
    embedded_tokens=39,
    hub=(
        HubFiles(
            repo="rajpurkar/squad", revision="7b6d24c440a36b6815f21b70d25016731768db1f", config="plain_text"
        ),
    ),
    folder=squad_files("v1.1", folder="squad_v1"),
    sizes={"train": 87_599, "dev": 10_570},
)
