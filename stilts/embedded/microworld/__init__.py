"""A small generated world whose sentences, in many languages, carry their gold labels by construction.

`rows` gives the rows of a task in the schema of the task's own data set on the Hugging Face Hub. Equal
arguments give equal rows everywhere, a longer list begins with the shorter one, and row i means the same in
every language. People, cities and companies of train never come back in dev or test.
"""

from typing import Any

from hpc.errors import UserError, unknown_name
from stilts.embedded.microworld.languages import codes, load
from stilts.embedded.microworld.tasks import MAKERS

SPLITS = ("train", "dev", "test")


def tasks() -> tuple[str, ...]:
    """The tasks the microworld has rows for."""
    return tuple(MAKERS)


def languages(task: str) -> tuple[str, ...]:
    """The languages of a task that the microworld speaks, English first.

    Raises:
        UserError: there is no such task.
    """
    if task not in MAKERS:
        raise unknown_name("task", task, MAKERS, where="the microworld")
    return tuple(code for code in MAKERS[task].languages if code in codes())


def rows(task: str, *, language: str, split: str, limit: int, seed: int) -> list[dict[str, Any]]:
    """The first `limit` rows of a set.

    Training sets are English; the tasks whose data set has one evaluation set only have a dev set in English
    alone, to choose models by.

    Raises:
        UserError: there is no such set.
    """
    known = languages(task)
    if language not in known:
        raise unknown_name("language", language, known, where=f"the microworld's {task}")
    if split not in SPLITS:
        raise unknown_name("split", split, SPLITS, where=f"the microworld's {task}")
    maker = MAKERS[task]
    if language != "en" and (split == "train" or (split == "dev" and maker.dev_languages == ("en",))):
        raise UserError(f"the microworld's {task} has {split} rows in English only, not in {language!r}")
    spoken = load(language)
    return [maker.make(spoken, seed, split, index) for index in range(limit)]
