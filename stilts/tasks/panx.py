"""WikiAnn named entities. Schema of google/xtreme, PAN-X.<language>, and of WikiAnn's own text files."""

from functools import partial

from stilts.tasks import ALL_SPLITS, FolderFiles, Task, codes
from stilts.tasks._tagging import read_tags
from stilts.tasks._xtreme import xtreme

_SETS = {"train": ("train",), "dev": ("dev",), "test": ("test",)}
LABELS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")

_LANGUAGES = codes(
    "af ar bg bn de el en es et eu fa fi fr he hi hu id it ja jv ka kk ko ml mr ms my nl pt ru sw ta te th "
    "tl tr ur vi yo zh"
)
# Languages with less than 10,000 sentences to evaluate on.
_SMALL = dict.fromkeys(codes("af bn hi kk ml mr ms sw ta te tl ur"), 1000) | {"jv": 100, "my": 100, "yo": 100}
_SIZES = dict.fromkeys(_LANGUAGES, 10_000) | _SMALL

TASK = Task(
    name="panx",
    type="tag",
    role="target",
    read=partial(read_tags, column="ner_tags", labels=LABELS),
    languages=_LANGUAGES,
    splits=ALL_SPLITS,
    train_task="panx",
    labels=LABELS,
    metric="entities",
    max_length=256,
    typical_tokens=15,
    embedded_tokens=15,
    hub=(xtreme("PAN-X.{language}"),),
    folder=tuple(
        FolderFiles(format="tagged", files=(file,), sets=_SETS, options={"column": "ner_tags"})
        for file in ("panx/{language}/{split}", "panx/{language}-{split}", "panx/{split}-{language}.tsv")
    ),
    sizes={"train": {"en": 20_000}, "dev": _SIZES, "test": _SIZES},
)
