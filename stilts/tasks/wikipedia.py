"""Text in many languages for masked-language modelling. Schema of wikimedia/wikipedia (id, title, text)."""

from stilts.tasks import Example, FolderFiles, HubFiles, Row, Task, codes
from stilts.tasks._columns import identity, text

LANGUAGES = codes(
    "en af ar bg bn de el es et eu fa fi fr he hi hu id it ja jv ka kk ko ml mr ms my nl pt ru sw ta te th "
    "tl tr ur vi yo zh"
)


def read(row: Row) -> Example | None:
    """An article; in a folder of plain text each line is one."""
    article = text(row, "text").strip()
    return {"id": identity(row, "id"), "text": article} if article else None


TASK = Task(
    name="wikipedia",
    type="mlm",
    role="text",
    read=read,
    languages=LANGUAGES,
    trains_in=LANGUAGES,
    splits={"train": "train"},
    train_task=None,
    metric="",
    max_length=256,
    typical_tokens=128,
    embedded_tokens=128,
    hub=(
        HubFiles(
            repo="wikimedia/wikipedia",
            # Open: the commit is recorded when files are fetched; the dump is the configuration's.
            revision="main",
            config="20231101.{language}",
            sets={"train": ("train",)},
        ),
    ),
    folder=(FolderFiles(format="text", files=("wikipedia/{language}.txt",), sets={"train": ("train",)}),),
    absence="one file of text a language, a paragraph or article a line, serves as well",
)
