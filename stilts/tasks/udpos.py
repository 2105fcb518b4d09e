"""Universal Dependencies parts of speech. Schema of google/xtreme, udpos.<Language>.

That copy keeps syntactic words and drops fused ones, so its token counts differ from XTREME's own for ar de
es fr he it pt tr and others.
"""

from functools import partial

from stilts.tasks import ALL_SPLITS, Task, codes
from stilts.tasks._tagging import read_tags

LABELS = codes("ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X")

TASK = Task(
    name="udpos",
    kind="tag",
    role="target",
    read=partial(read_tags, column="pos_tags", labels=LABELS),
    languages=codes(
        "af ar bg de el en es et eu fa fi fr he hi hu id it ja kk ko mr nl pt ru ta te th tl tr ur vi yo zh"
    ),
    splits=ALL_SPLITS,
    without_dev=("kk", "th", "tl", "yo"),
    trains_on="udpos",
    labels=LABELS,
    scorer="pos",
    metrics=("f1", "accuracy"),
    max_length=256,
)
