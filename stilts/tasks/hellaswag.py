"""HellaSwag: which ending continues the scene? Schema of Rowan/hellaswag."""

from stilts.tasks import Example, Row, Task


def read(row: Row) -> Example | None:
    """The prompt is the first sentence; each choice is the begun second one with its ending."""
    if row["label"] == "":
        return None
    return {
        "id": str(row.get("ind", "")),
        "prompt": row["ctx_a"],
        "choices": [f"{row['ctx_b']} {ending}".strip() for ending in row["endings"]],
        "label": int(row["label"]),
    }


TASK = Task(
    name="hellaswag",
    kind="choice",
    role="intermediate",
    read=read,
    trains_on="hellaswag",
    scorer="accuracy",
    metrics=("accuracy",),
    max_length=256,
)
