"""CCG supertags: one lexical category a word. CCGbank is licensed; stand-ins name themselves as such.

The categories depend on the data, so they are read off the training set: sections 02-21 of CCGbank. Dev is
section 00, and 23 is kept for tests.
"""

from functools import partial

from stilts.tasks import FolderFiles, Task
from stilts.tasks._tagging import read_tags

_SECTIONS = {
    "train": tuple(f"{section:02}" for section in range(2, 22)),
    "dev": ("00",),
    "test": ("23",),
}

TASK = Task(
    name="ccg",
    type="tag",
    role="intermediate",
    read=partial(read_tags, column="tags", labels=None),
    train_task="ccg",
    labels=None,
    metric="tokens",
    max_length=256,
    typical_tokens=33,
    embedded_tokens=16,
    is_translatable=False,
    folder=(
        FolderFiles(format="ccg_auto", files=("ccg/**/AUTO/{split}/*.auto",), sets=_SECTIONS),
        FolderFiles(
            format="ccg_pipes",
            files=("ccg/{split}.txt",),
            sets={"train": ("train",), "dev": ("dev",), "test": ("test",)},
        ),
    ),
    sizes={"train": 39_604, "dev": 1913, "test": 2407},
    absence=(
        "CCGbank (LDC2005T13) is licensed and not on the Hub: put its data/AUTO below ccg/, or a sentence a "
        "line as word|POS|category into ccg/train.txt and ccg/dev.txt; a study without it leaves ccg out"
    ),
)
