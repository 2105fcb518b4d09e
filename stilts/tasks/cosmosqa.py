"""Cosmos QA: which of four answers fits what the passage leaves unsaid? Schema of allenai/cosmos_qa."""

from stilts.tasks import Example, FolderFiles, HubFiles, Row, Task
from stilts.tasks._columns import identity, numbered, text

_SETS = {"train": ("train",), "dev": ("valid",)}


def read(row: Row) -> Example | None:
    """The prompt is the passage, then the question: truncation from the start keeps the question."""
    label = numbered(row, "label", of=4)
    if label is None:
        return None
    return {
        "id": identity(row, "id"),
        "prompt": f"{text(row, 'context')} {text(row, 'question')}",
        "choices": [text(row, f"answer{number}") for number in range(4)],
        "label": label,
    }


TASK = Task(
    name="cosmosqa",
    type="choice",
    role="intermediate",
    read=read,
    train_task="cosmosqa",
    metric="accuracy",
    max_length=256,
    typical_tokens=467,
    embedded_tokens=121,
    # A commit of refs/convert/parquet: the repository itself has had a script.
    hub=(
        HubFiles(
            repo="allenai/cosmos_qa",
            revision="ed50fe83db62b355759053b1cd5eef344ee371e0",
            config="default",
            path="{config}/{split}/0000.parquet",
        ),
    ),
    folder=(
        FolderFiles(format="csv", files=("cosmosqa/{split}.csv",), sets=_SETS),
        FolderFiles(format="jsonl", files=("cosmosqa/{split}.jsonl",), sets=_SETS),
    ),
    sizes={"train": 25_262, "dev": 2985},
)
