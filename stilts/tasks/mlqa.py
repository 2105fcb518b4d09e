"""MLQA: questions and passages of the same language. Schema of google/xtreme, MLQA.<language>.<language>."""

from stilts.tasks import DEV_AND_TEST, Task, codes
from stilts.tasks._questions import read_squad

TASK = Task(
    name="mlqa",
    kind="span",
    role="target",
    read=read_squad,
    languages=codes("ar de en es hi vi zh"),
    splits=DEV_AND_TEST,
    trains_on="squad_v1",
    borrows="squad_v1",
    scorer="mlqa",
    metrics=("em", "f1"),
    max_length=384,
)
