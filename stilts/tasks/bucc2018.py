"""BUCC 2018: find the translations hidden in two monolingual pools. Schema of google/xtreme, bucc18.<code>.

Dev is the shared task's sample set, test its training set. XTREME's Hub copy holds the gold pairs only:
without distractors it is matched retrieval, not mining, and is refused. Full pools are the shared task's own
files, and for the test set those of mteb on the Hub.
"""

from stilts.tasks import DEV_AND_TEST, FolderFiles, HubFiles, Task
from stilts.tasks._translations import read_translation

_PAIRS = {"de": 9580, "fr": 9086, "ru": 14_435, "zh": 1899}

TASK = Task(
    name="bucc2018",
    type="retrieve",
    role="target",
    read=read_translation,
    languages=("de", "fr", "ru", "zh"),
    splits=DEV_AND_TEST,
    train_task=None,
    metric="pairs",
    max_length=512,
    typical_tokens=40,
    embedded_tokens=16,
    hub=(
        HubFiles(
            repo="mteb/bucc-bitext-mining",
            revision="d51519689f32196a32af33b075a01d0e7c51e252",
            config="{language}-en",
            sets={"test": ("test",)},
            path="{config}/{split}.json.gz",
            format="bucc_json",
        ),
    ),
    # XTREME's download calls the sample set dev and the training set test.
    folder=(
        *(
            FolderFiles(
                format="bucc",
                files=tuple(
                    f"bucc2018/**/{{language}}-en.{{split}}.{side}" for side in ("{language}", "en", "gold")
                ),
                sets=sets,
            )
            for sets in (
                {"dev": ("sample",), "test": ("training",)},
                {"dev": ("dev",), "test": ("test",)},
            )
        ),
        FolderFiles(
            format="parquet",
            files=("bucc2018/bucc18.{language}/{split}-*.parquet",),
            sets={"dev": ("validation",), "test": ("test",)},
            unlike="it holds gold pairs without distractors, which makes matched retrieval, not mining",
        ),
    ),
    sizes={
        # Sentences of both sides less the pairs, each of which is one example.
        "test": {
            "de": 413_869 + 399_337 - _PAIRS["de"],
            "fr": 271_874 + 369_810 - _PAIRS["fr"],
            "ru": 460_853 + 558_401 - _PAIRS["ru"],
            "zh": 94_637 + 88_860 - _PAIRS["zh"],
        },
    },
    scored={"test": _PAIRS},
    absence=(
        "Mining needs the pools with their distractors: the shared task's {code}-en.sample.* and .training.* "
        "files; on the Hub there are only those of the test set"
    ),
)
