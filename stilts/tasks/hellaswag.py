"""HellaSwag: which ending continues the scene? Schema of Rowan/hellaswag."""

from stilts.tasks import Example, FolderFiles, HubFiles, Row, Task
from stilts.tasks._columns import identity, numbered, text, texts


def read(row: Row) -> Example | None:
    """The prompt is the first sentence; each choice is the begun second one with its ending."""
    endings = texts(row, "endings")
    label = numbered(row, "label", of=len(endings))
    if label is None:
        return None
    return {
        "id": identity(row, "ind"),
        "prompt": text(row, "ctx_a"),
        "choices": [f"{text(row, 'ctx_b')} {ending}".strip() for ending in endings],
        "label": label,
    }


TASK = Task(
    name="hellaswag",
    type="choice",
    role="intermediate",
    read=read,
    train_task="hellaswag",
    metric="accuracy",
    max_length=256,
    typical_tokens=400,
    embedded_tokens=94,
    hub=(
        HubFiles(
            repo="Rowan/hellaswag",
            revision="218ec52e09a7e7462a5400043bb9a69a41d06b76",
            config="data",
        ),
    ),
    folder=(
        FolderFiles(
            format="jsonl",
            files=("hellaswag/hellaswag_{split}.jsonl",),
            sets={"train": ("train",), "dev": ("val",)},
        ),
    ),
    sizes={"train": 39_905, "dev": 10_042},
)
