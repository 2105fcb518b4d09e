"""CommonsenseQA: which of five answers is sensible? Schemas of tau/commonsense_qa and of its own files."""

from hpc.errors import unknown_name
from stilts.tasks import Example, FolderFiles, HubFiles, Row, Task


def read(row: Row) -> Example | None:
    """The prompt is the question alone; the question concept is not used."""
    question = row.get("question")
    if isinstance(question, dict):  # the original files; their test set has no answers
        answer, prompt = row.get("answerKey"), question["stem"]
        choices = {choice["label"]: choice["text"] for choice in question["choices"]}
    else:
        answer, prompt = row["answerKey"], question
        choices = dict(zip(row["choices"]["label"], row["choices"]["text"], strict=True)) if answer else {}
    if not answer:
        return None
    if answer not in choices:
        raise unknown_name("answer", answer, choices)
    return {
        "id": str(row.get("id", "")),
        "prompt": prompt,
        "choices": list(choices.values()),
        "label": list(choices).index(answer),
    }


TASK = Task(
    name="commonsenseqa",
    type="choice",
    role="intermediate",
    read=read,
    train_task="commonsenseqa",
    metric="accuracy",
    max_length=256,
    typical_tokens=115,
    embedded_tokens=77,
    hub=(
        HubFiles(
            repo="tau/commonsense_qa",
            revision="94630fe30dad47192a8546eb75f094926d47e155",
            config="data",
        ),
    ),
    folder=(
        FolderFiles(
            format="jsonl",
            files=("commonsenseqa/{split}_rand_split.jsonl",),
            sets={"train": ("train",), "dev": ("dev",)},
        ),
    ),
    sizes={"train": 9741, "dev": 1221},
)
