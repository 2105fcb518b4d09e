"""Machine translations of an English training set: a folder with one file of JSON lines a task and language.

    translated/<task>/<language>.jsonl

A line is a row in the task's own schema, its texts translated, and `source_id`: the id of the English row, or
its number in the English training set, counted from 0, where the rows have no id (HellaSwag's own
`source_id`, which nothing reads, gives way). `stilts.corpora.translations` checks such files against the
English set.
"""

from dataclasses import replace

from hpc.errors import UserError
from stilts.tasks import Example, FolderFiles, Row, Task, codes, untranslated

LANGUAGES = codes(
    "af ar bg bn de el es et eu fa fi fr he hi hu id it ja jv ka kk ko ml mr ms my nl pt ru sw ta te th tl "
    "tr ur vi yo zh"
)
"""XTREME's, English excepted."""


def in_translation(task: Task, name: str) -> Task:
    """The task with translations for training and nothing else.

    Raises:
        UserError: it is no intermediate task on whole sentences: tags do not survive translation.
    """
    if task.role != "intermediate" or not task.is_translatable:
        raise UserError(
            f"{task.name} cannot be trained on translations: they would have no {task.type} labels"
        )

    def read(row: Row) -> Example | None:
        if "source_id" not in row:
            raise KeyError("source_id")
        example = task.read(row)
        return None if example is None else example | {"id": str(row["source_id"])}

    return replace(
        task,
        name=name,
        read=read,
        languages=LANGUAGES,
        trains_in=LANGUAGES,
        splits={"train": "train"},
        hub=(),
        folder=(
            FolderFiles(
                format="jsonl",
                files=(f"translated/{untranslated(name)}/{{language}}.jsonl",),
                sets={"train": ("train",)},
            ),
        ),
        sizes={},
        absence="translations are made by the user: see stilts/tasks/_translated.py",
    )
