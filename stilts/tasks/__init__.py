"""Tasks of the study, one file each: `load(name)` gives its `TASK`, `names()` lists the files.

A new task is a new file here. Files that begin with an underscore hold what several tasks share.
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hpc.errors import UserError, unknown_name
from hpc.files import listing
from stilts.tasks._places import FolderFiles, HubFiles

if TYPE_CHECKING:
    from stilts.tasks.metrics import Metric

__all__ = [
    "ALL_SPLITS",
    "DEV_AND_TEST",
    "ENGLISH_TRAIN_AND_DEV",
    "Example",
    "FolderFiles",
    "HubFiles",
    "Row",
    "Task",
    "codes",
    "load",
    "names",
    "translated",
    "untranslated",
]

_TRANSLATED = ".translated"

Row = Mapping[str, Any]
"""A record in the data set's own schema."""

Example = dict[str, Any]
"""A record in the schema of its type, the same for all tasks of that type (`stilts.tasks.types`)."""

DEV_AND_TEST: Mapping[str, str] = {"dev": "dev", "test": "test"}
ENGLISH_TRAIN_AND_DEV: Mapping[str, str] = {"train": "train", "dev": "dev"}
ALL_SPLITS: Mapping[str, str] = {"train": "train", "dev": "dev", "test": "test"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """What is read, how it is scored, and where it stands in the study."""

    name: str
    type: str
    """Name in `stilts.tasks.types`."""
    role: Literal["intermediate", "target", "text"]
    """`text` is for masked-language modelling beside an intermediate task."""
    read: Callable[[Row], Example | None]
    """Row to example; None for a row without a usable label. An empty id means the data set has none."""
    languages: tuple[str, ...] = ("en",)
    splits: Mapping[str, str] = field(default_factory=lambda: ENGLISH_TRAIN_AND_DEV, hash=False)
    """Split asked for, to the set that is read: a task with a single evaluation set reads it for both."""
    scored: Mapping[str, Mapping[str, int]] = field(default_factory=dict, hash=False)
    """By set and language, how many are scored where that is not the number of examples: gold pairs."""
    unlike: Mapping[str, str] = field(default_factory=dict, hash=False)
    """By source, how its copy differs from the set that the benchmark scores."""
    parallel: bool = False
    """Whether the sets of all languages are one set, translated, in one order."""
    without_dev: tuple[str, ...] = ()
    """Languages that have a test set only."""
    trains_in: tuple[str, ...] = ("en",)
    """Languages with a training set that may be used: anything but English is no zero-shot transfer."""
    train_task: str | None
    """Task whose English training set the target is fine-tuned on; None: never fine-tuned."""
    head_from: str | None = None
    """Intermediate task whose head answers this target as it is."""
    labels: tuple[str, ...] | None = ()
    """Names by index; None: read off the training set (`stilts.data.labels`)."""
    submitted_labels: tuple[str, ...] = ()
    """Their names in a submission, where those are others."""
    metric: str
    """Name in `stilts.tasks.metrics`; empty for text, which is never scored."""
    max_length: int
    """Tokens of a sequence, special ones included, in the published protocol."""
    is_translatable: bool = True
    """Whether labels survive a translation of the text."""
    typical_tokens: int = 32
    """Tokens an example has with all its choices, for estimates of plans: counted on the real files of XQuAD,
    Cosmos QA, UD-POS and Tatoeba, elsewhere reckoned from the published words a sentence."""
    embedded_tokens: int = 24
    """The same of the embedded set, counted."""
    language_of: Callable[[Row], str] | None = field(default=None, hash=False)
    """Language of a row, for data sets that keep several in one file; empty when the row does not say."""
    hub: tuple[HubFiles, ...] = field(default=(), hash=False)
    """Where it is on the Hub, one entry a part; empty: it is not there."""
    folder: tuple[FolderFiles, ...] = field(default=(), hash=False)
    """Original files in a data folder, alternatives in the order of preference. A staged copy of `hub` is
    found without an entry here."""
    sizes: Mapping[str, int | Mapping[str, int]] = field(default_factory=dict, hash=False)
    """Examples with a usable label by set: one number for every language, or one for each that is known."""
    absence: str = ""
    """Said when no file is found: why the data may be missing, and what to do."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the values its metric reports."""
        return self._metric().reports if self.metric else ()

    @property
    def counted(self) -> tuple[str, ...]:
        """Those of them whose mean is the task's score."""
        return self._metric().counted if self.metric else ()

    def _metric(self) -> "Metric":
        from stilts.tasks import metrics  # numpy, which planning does without

        return metrics.load(self.metric)

    def shortfall(self, *, split: str, language: str, source: str, count: int) -> str:
        """What keeps a set from being the one that the benchmark scores; empty where nothing known does.

        Args:
            split: that was asked for.
            language: of the set.
            source: where it was read: `hub`, `folder`, `embedded`.
            count: how many were scored; of a pool for mining its gold pairs.
        """
        if source == "embedded":
            return "embedded data"
        if source in self.unlike:
            return self.unlike[source]
        published = self.scored_of(split=split, language=language)
        if published is not None and count != published:
            return f"{count:,} of {published:,} examples"
        return ""

    def scored_of(self, *, split: str, language: str) -> int | None:
        """Published number of what is scored of a set: of a pool its gold pairs, else its examples."""
        found = self.scored.get(self.splits.get(split, split), {}).get(language)
        return self.size_of(split=split, language=language) if found is None else found

    def size_of(self, *, split: str, language: str) -> int | None:
        """Number of labelled examples the published set has; None when it is not known."""
        known = self.sizes.get(self.splits.get(split, split))
        return known.get(language) if isinstance(known, Mapping) else known

    def set_of(self, *, split: str, language: str) -> str:
        """The set that holds `split` of `language`.

        Raises:
            UserError: the task has no such language or split.
        """
        if language not in self.languages:
            raise unknown_name("language", language, self.languages, where=f"task {self.name}")
        if split not in self.splits:
            raise unknown_name("split", split, self.splits, where=f"task {self.name}")
        if split == "dev" and language in self.without_dev:
            raise UserError(f"{self.name} has no dev set in {language!r}, only test")
        if split == "train" and language not in self.trains_in:
            raise UserError(
                f"{self.name}: training is in English only, not in {language!r}; that is zero-shot"
            )
        return self.splits[split]


def codes(text: str) -> tuple[str, ...]:
    """Names written on one line, as in `"ar de en"`."""
    return tuple(text.split())


def names() -> list[str]:
    """All tasks, by their file names."""
    return list(_names())


@cache
def _names() -> tuple[str, ...]:
    return tuple(path.stem for path in listing(Path(__file__).parent, "[!_]*.py"))


def translated(name: str) -> str:
    """The name under which `load` gives a task with machine translations of its training set."""
    return name + _TRANSLATED


def untranslated(name: str) -> str:
    """The task behind a name, whether `translated` made it or not."""
    return name.removesuffix(_TRANSLATED)


def load(name: str) -> Task:
    """The task of that name, as a file here or as `translated` names it.

    Raises:
        UserError: there is no such task; the nearest names are given.
    """
    base = untranslated(name)
    if base not in names():
        raise unknown_name("task", base, names())
    task: Task = importlib.import_module(f"{__name__}.{base}").TASK
    if base == name:
        return task
    from stilts.tasks._translated import in_translation

    return in_translation(task, name)
