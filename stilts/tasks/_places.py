"""Where the data of a task lies: on the Hub, and in a folder of original files. Nothing is looked up here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

_NONE: Mapping[str, Any] = MappingProxyType({})
HUB_SPLITS: Mapping[str, tuple[str, ...]] = {
    "train": ("train",),
    "dev": ("validation",),
    "test": ("test",),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class HubFiles:
    """Files of one data set repository that make up the sets of a task, or a part of them."""

    repo: str
    """Name on the Hub, as in `nyu-mll/glue`."""
    revision: str
    """A 40-digit commit, or a ref that is resolved to one when files are fetched."""
    config: str
    """Subset; `{name}` in it is the language's entry in `names`, `{language}` its code."""
    sets: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: HUB_SPLITS)
    """Our set, to the splits on the Hub it is made of, in this order."""
    path: str = "{config}/{split}-*.parquet"
    """Pattern of the files of a split within the repository."""
    names: Mapping[str, str] = field(default_factory=lambda: _NONE)
    """How the repository calls each language; the code itself where absent."""
    part: str = ""
    """Which part of the task it is, for a task made of several data sets."""
    format: str = "parquet"
    """Module of `stilts.data.formats` that reads the files."""

    @property
    def standing(self) -> Literal["pinned", "open"]:
        """`open`: the revision is a moving ref; the commit it stands for is recorded when it is fetched."""
        is_commit = len(self.revision) == 40 and not set(self.revision) - set("0123456789abcdef")
        return "pinned" if is_commit else "open"

    def patterns(self, *, language: str, split: str) -> tuple[str, ...]:
        """Patterns of paths within the repository, one a split; empty when it has no such set."""
        name = self.names.get(language, language)
        config = self.config.format(name=name, language=language)
        return tuple(
            self.path.format(config=config, split=part, name=name, language=language)
            for part in self.sets.get(split, ())
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderFiles:
    """Original files below the data folder that make up the sets of a task, or a part of them."""

    format: str
    """Module of `stilts.data.formats` that reads them."""
    files: tuple[str, ...]
    """Patterns below the folder, with `{language}`, `{name}` and `{split}`. One may match several files, read
    in turn; several are files that belong together (sentences and their translations), one match each."""
    sets: Mapping[str, tuple[str, ...]]
    """Our set, to the names that stand for `{split}`, in this order."""
    names: Mapping[str, str] = field(default_factory=lambda: _NONE)
    """How the files call each language; the code itself where absent."""
    part: str = ""
    """Which part of the task it is. Entries of the same part are alternatives: the first found is read."""
    options: Mapping[str, Any] = field(default_factory=lambda: _NONE)
    """Further arguments of the format's `rows`."""
    unlike: str = ""
    """Why these files may not stand for the task though they look like it: they are refused with this."""

    def patterns(self, *, language: str, split: str) -> tuple[tuple[str, ...], ...]:
        """Patterns below the folder, one tuple a split name; empty when there is no such set."""
        name = self.names.get(language, language)
        return tuple(
            tuple(pattern.format(language=language, name=name, split=part) for pattern in self.files)
            for part in self.sets.get(split, ())
        )
