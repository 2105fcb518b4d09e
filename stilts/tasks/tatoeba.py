"""Tatoeba: the nearest foreign sentence to each English one, in a single set.

Schema of google/xtreme, tatoeba.<iso3>.
"""

from stilts.tasks import Task, codes
from stilts.tasks._translations import read_translation

TASK = Task(
    name="tatoeba",
    kind="retrieve",
    role="target",
    read=read_translation,
    languages=codes(
        "af ar bg bn de el es et eu fa fi fr he hi hu id it ja jv ka kk ko ml mr nl pt ru sw ta te th tl tr "
        "ur vi zh"
    ),
    splits={"dev": "test", "test": "test"},
    trains_on=None,
    scorer="nearest",
    metrics=("accuracy",),
    max_length=512,
)
