"""Cosmos QA: which of four answers fits what the passage leaves unsaid? Schema of allenai/cosmos_qa."""

from stilts.tasks import Example, Row, Task


def read(row: Row) -> Example | None:
    """The prompt is the passage, then the question: truncation from the start keeps the question."""
    if row["label"] in (-1, "", None):
        return None
    return {
        "id": str(row.get("id", "")),
        "prompt": f"{row['context']} {row['question']}",
        "choices": [row[f"answer{number}"] for number in range(4)],
        "label": int(row["label"]),
    }


TASK = Task(
    name="cosmosqa",
    kind="choice",
    role="intermediate",
    read=read,
    trains_on="cosmosqa",
    scorer="accuracy",
    metrics=("accuracy",),
    max_length=256,
)
