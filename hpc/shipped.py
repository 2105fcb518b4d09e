"""Files that come with the program beside its packages, and a user's own of the same sort: clusters, tables.

They are looked for in the folder one works in, then in a checkout beside the packages, then in `share/stilts`
of whatever the packages were installed into: an environment, a prefix, `~/.local`, a `--target`.
"""

from collections.abc import Iterator
from pathlib import Path

from hpc.files import listing

_PACKAGES = Path(__file__).resolve().parents[1]
_LEVELS = 5
"""Folders between packages and prefix at most: `lib/python3.11/site-packages`, and what a system adds."""


def names(sort: str) -> list[str]:
    """All TOML files of a sort (`slurm`, `tables`), by name."""
    return sorted({path.stem for folder in folders(sort) for path in listing(folder, "*.toml")})


def find(sort: str, name: str) -> Path | None:
    """The TOML file of that name; None where there is none."""
    paths = (folder / f"{name}.toml" for folder in folders(sort))
    return next((path for path in paths if path.is_file()), None)


def folders(sort: str) -> Iterator[Path]:
    """Where files of a sort may lie, a user's own first."""
    above = (_PACKAGES, *_PACKAGES.parents)[:_LEVELS]
    places = (Path(sort), _PACKAGES / sort, *(folder / "share/stilts" / sort for folder in above))
    yield from (path for path in dict.fromkeys(places) if path.is_dir())
