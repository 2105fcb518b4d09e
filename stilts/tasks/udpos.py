"""Universal Dependencies parts of speech. Schema of google/xtreme, udpos.<Language>.

That copy keeps syntactic words and drops fused ones, so its token counts differ from XTREME's own for ar de
es fr he it pt tr and others; and it went by the names of folders, so that Greek holds Ancient Greek too, four
sentences in five, French Old French, Russian Old Russian, Chinese Classical Chinese, German Swiss German
(google-research/xtreme, issue 91). It cannot be mapped back: what was fused is not in it. Treebanks in a
folder are prepared as XTREME prepares them: fused forms stay one token, and all treebanks of a language are
joined. A score says which of the two it is by its data version.
"""

from functools import partial

from stilts.tasks import ALL_SPLITS, FolderFiles, Task, codes
from stilts.tasks._tagging import read_tags
from stilts.tasks._xtreme import LANGUAGE_NAMES, xtreme

_SETS = {"train": ("train",), "dev": ("dev",), "test": ("test",)}
# Sentences of Universal Dependencies 2.5.
_DEV = {
    "af": 194, "ar": 909, "bg": 1115, "de": 19_233, "el": 403, "en": 3974, "es": 3054, "et": 3125, "eu": 1798,
    "fa": 599, "fi": 3239, "fr": 2902, "he": 484, "hi": 1659, "hu": 441, "id": 559, "it": 2278, "ja": 511,
    "ko": 3016, "mr": 46, "nl": 1394, "pt": 1770, "ru": 8108, "ta": 80, "te": 131, "tr": 988, "ur": 552,
    "vi": 800, "zh": 1000,
}  # fmt: skip
_TEST = {
    "af": 425, "ar": 1680, "bg": 1116, "de": 22_358, "el": 456, "en": 5440, "es": 3147, "et": 3760,
    "eu": 1799, "fa": 600, "fi": 4422, "fr": 4997, "he": 491, "hi": 2684, "hu": 449, "id": 1557, "it": 3518,
    "ja": 2372, "kk": 1047, "ko": 4276, "mr": 47, "nl": 1471, "pt": 2681, "ru": 8973, "ta": 120, "te": 146,
    "th": 1000, "tl": 55, "tr": 4785, "ur": 535, "vi": 800, "yo": 100, "zh": 3455,
}  # fmt: skip
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
    sizes={"train": {"en": 21_253}, "dev": _DEV, "test": _TEST},
    unlike={"hub": "words that the treebanks write as one are split, and older languages are mixed in"},
)
