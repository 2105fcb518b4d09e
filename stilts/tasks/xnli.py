"""XNLI: MNLI's question in fifteen languages. Schema of google/xtreme, XNLI (all languages in one file)."""

from stilts.tasks import DEV_AND_TEST, Task, codes
from stilts.tasks._pairs import NLI_LABELS, read_nli

TASK = Task(
    name="xnli",
    kind="classify",
    role="target",
    read=read_nli,
    languages=codes("ar bg de el en es fr hi ru sw th tr ur vi zh"),
    splits=DEV_AND_TEST,
    trains_on="mnli",
    borrows="mnli",
    labels=NLI_LABELS,
    scorer="accuracy",
    metrics=("accuracy",),
    max_length=256,
    language_of=lambda row: str(row.get("language", "")),
)
