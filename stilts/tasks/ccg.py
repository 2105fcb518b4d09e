"""CCG supertags: one lexical category a word. CCGbank is licensed; stand-ins name themselves as such.

The categories depend on the data, so they are read off the training set.
"""

from functools import partial

from stilts.tasks import Task
from stilts.tasks._tagging import read_tags

TASK = Task(
    name="ccg",
    kind="tag",
    role="intermediate",
    read=partial(read_tags, column="tags", labels=None),
    trains_on="ccg",
    labels=None,
    scorer="tokens",
    metrics=("accuracy",),
    max_length=256,
)
