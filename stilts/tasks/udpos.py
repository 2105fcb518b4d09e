"""Universal Dependencies parts of speech. Schema of google/xtreme, udpos.<Language>.

That copy keeps syntactic words and drops fused ones, so its token counts differ from XTREME's own for ar de
es fr he it pt tr and others. Treebanks in a folder are prepared as XTREME prepares them: fused forms stay one
token, and all treebanks of a language are joined. A score says which of the two it is by its data version.
"""

from functools import partial

from stilts.tasks import ALL_SPLITS, FolderFiles, Task, codes
from stilts.tasks._tagging import read_tags
from stilts.tasks._xtreme import LANGUAGE_NAMES, xtreme

_SETS = {"train": ("train",), "dev": ("dev",), "test": ("test",)}
LABELS = codes("ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X")

TASK = Task(
    name="udpos",
    type="tag",
    role="target",
    read=partial(read_tags, column="pos_tags", labels=LABELS),
    languages=codes(
        "af ar bg de el en es et eu fa fi fr he hi hu id it ja kk ko mr nl pt ru ta te th tl tr ur vi yo zh"
    ),
    splits=ALL_SPLITS,
    without_dev=("kk", "th", "tl", "yo"),
    train_task="udpos",
    labels=LABELS,
    metric="pos",
    max_length=256,
    typical_tokens=30,
    embedded_tokens=15,
    hub=(xtreme("udpos.{name}", names=LANGUAGE_NAMES),),
    folder=(
        FolderFiles(
            format="conllu",
            files=("udpos/{name}-*/*-ud-{split}.conllu",),
            sets=_SETS,
            names=LANGUAGE_NAMES,
        ),
        FolderFiles(
            format="conllu",
            files=("udpos/**/UD_{name}-*/*-ud-{split}.conllu",),
            sets=_SETS,
            names=LANGUAGE_NAMES,
        ),
        FolderFiles(
            format="tagged",
            files=("udpos/{split}-{language}.tsv",),
            sets=_SETS,
            options={"column": "pos_tags"},
        ),
    ),
    sizes={"train": {"en": 21_253}},
    unlike={"hub": "words that the treebanks write as one are split"},
)
