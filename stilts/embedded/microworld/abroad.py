"""Training rows outside English, for intermediate phases that use them.

Running text, and the English training sets as a faultless translator would render them.
"""

from typing import Any

from hpc.errors import UserError, unknown_name
from stilts.embedded.microworld.languages import codes, load
from stilts.embedded.microworld.reading import passage, question
from stilts.embedded.microworld.tasks import MAKERS

TRANSLATED = ("anli_plus", "mnli", "squad_v1", "squad_v2")
"""Tasks whose sentences every language has words for."""


def prose(*, language: str, limit: int, seed: int) -> list[dict[str, Any]]:
    """Passages of a few sentences, in the schema of wikimedia/wikipedia; those of training pools only.

    Raises:
        UserError: the microworld does not speak the language.
    """
    _check(language)
    spoken = load(language)
    found = []
    for index in range(limit):
        laid, _ = passage(spoken, question(seed, "train", index, name="prose"))
        found.append({"id": f"prose-{index}", "title": "Microworld", "text": laid.string})
    return found


def translations(task: str, *, language: str, limit: int, seed: int) -> list[dict[str, Any]]:
    """Rows of a task's English training set, said in another language, with `source_id`.

    Raises:
        UserError: the task is not translated, or the language not spoken.
    """
    if task not in TRANSLATED:
        raise unknown_name("translated task", task, TRANSLATED, where="the microworld")
    _check(language)
    spoken = load(language)
    made = (MAKERS[task].make(spoken, seed, "train", index) for index in range(limit))
    return [row | {"source_id": str(row.get("uid", row.get("idx", row.get("id"))))} for row in made]


def _check(language: str) -> None:
    if language not in codes():
        raise UserError(f"the microworld does not speak {language!r}, only {', '.join(codes())}")
