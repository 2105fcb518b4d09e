"""HellaSwag: which ending continues the scene? Schema of Rowan/hellaswag."""

from stilts.tasks import Example, FolderFiles, HubFiles, Row, Task


def read(row: Row) -> Example | None:
    """The prompt is the first sentence; each choice is the begun second one with its ending."""
    if row["label"] in ("", None):
        return None
    label = int(row["label"])
    if not 0 <= label < len(row["endings"]):
        raise ValueError(f"label {label} of {len(row['endings'])} endings")
    return {
        "id": str(row.get("ind", "")),
        "prompt": row["ctx_a"],
        "choices": [f"{row['ctx_b']} {ending}".strip() for ending in row["endings"]],
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
