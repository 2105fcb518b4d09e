"""CommonsenseQA: which of five answers is sensible? Schema of tau/commonsense_qa."""

from stilts.tasks import Example, Row, Task


def read(row: Row) -> Example | None:
    """The prompt is the question alone; the question concept is not used."""
    if not row["answerKey"]:
        return None
    choices = row["choices"]
    return {
        "id": str(row.get("id", "")),
        "prompt": row["question"],
        "choices": list(choices["text"]),
        "label": list(choices["label"]).index(row["answerKey"]),
    }


TASK = Task(
    name="commonsenseqa",
    kind="choice",
    role="intermediate",
    read=read,
    trains_on="commonsenseqa",
    scorer="accuracy",
    metrics=("accuracy",),
    max_length=256,
)
