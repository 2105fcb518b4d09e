"""WikiAnn named entities. Schema of google/xtreme, PAN-X.<language>."""

from functools import partial

from stilts.tasks import ALL_SPLITS, Task, codes
from stilts.tasks._tagging import read_tags

LABELS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")

TASK = Task(
    name="panx",
    kind="tag",
    role="target",
    read=partial(read_tags, column="ner_tags", labels=LABELS),
    languages=codes(
        "af ar bg bn de el en es et eu fa fi fr he hi hu id it ja jv ka kk ko ml mr ms my nl pt ru sw ta te "
        "th tl tr ur vi yo zh"
    ),
    splits=ALL_SPLITS,
    trains_on="panx",
    labels=LABELS,
    scorer="entities",
    metrics=("f1", "accuracy"),
    max_length=256,
)
