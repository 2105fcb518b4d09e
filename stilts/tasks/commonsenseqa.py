"""CommonsenseQA: which of five answers is sensible? Schemas of tau/commonsense_qa and of its own files."""

from hpc.errors import unknown_name
from stilts.tasks import Example, FolderFiles, HubFiles, Row, Task
from stilts.tasks._columns import as_list, as_text, identity, texts


def read(row: Row) -> Example | None:
    """The prompt is the question alone; the question concept is not used."""
    question = row["question"]
    if isinstance(question, dict):  # the original files; their test set has no answers
        answer, prompt = row.get("answerKey"), as_text(question["stem"], "stem")
        offered = [(choice["label"], choice["text"]) for choice in as_list(question["choices"], "choices")]
    else:
        answer, prompt = row["answerKey"], as_text(question, "question")
        offered = list(zip(*(texts(row["choices"], name) for name in ("label", "text")), strict=True))
    if not answer:
        return None
    choices = {as_text(name, "label"): as_text(choice, "text") for name, choice in offered}
    if len(choices) < len(offered):
        raise ValueError("two choices have the same label")
    if answer not in choices:
        raise unknown_name("answer", str(answer), choices)
    return {
        "id": identity(row, "id"),
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
