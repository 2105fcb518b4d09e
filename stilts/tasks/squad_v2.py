"""SQuAD v2.0: as v1.1, and some questions have no answer. Schema of rajpurkar/squad_v2."""

from stilts.tasks import HubFiles, Task
from stilts.tasks._questions import read_squad, squad_files

TASK = Task(
    name="squad_v2",
    type="span",
    role="intermediate",
    read=read_squad,
    train_task="squad_v2",
    metric="squad_v2",
    max_length=384,
    typical_tokens=205,
    embedded_tokens=38,
    hub=(
        HubFiles(
            repo="rajpurkar/squad_v2", revision="3ffb306f725f7d2ce8394bc1873b24868140c412", config="squad_v2"
        ),
    ),
    folder=squad_files("v2.0", folder="squad_v2"),
    sizes={"train": 130_319, "dev": 11_873},
)
