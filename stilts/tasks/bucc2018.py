"""BUCC 2018: find the translations hidden in two monolingual pools. Schema of google/xtreme, bucc18.<code>.

Dev is the shared task's sample set, test its training set. XTREME's Hub copy holds the gold pairs only:
without distractors it is matched retrieval, not mining.
"""

from stilts.tasks import DEV_AND_TEST, Task
from stilts.tasks._translations import read_translation

TASK = Task(
    name="bucc2018",
    kind="retrieve",
    role="target",
    read=read_translation,
    languages=("de", "fr", "ru", "zh"),
    splits=DEV_AND_TEST,
    trains_on=None,
    scorer="pairs",
    metrics=("f1",),
    max_length=512,
)
