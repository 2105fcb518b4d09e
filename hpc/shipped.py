"""Files that come with the program beside its packages: cluster files, batch scripts, tables."""

import sys
from pathlib import Path

_PACKAGES = Path(__file__).resolve().parents[1]


def folders(name: str) -> tuple[Path, ...]:
    """Where files of that sort lie: in a checkout beside the packages, of a wheel below the environment."""
    places = (_PACKAGES / name, Path(sys.prefix) / "share/stilts" / name, _PACKAGES / "share/stilts" / name)
    return tuple(path for path in dict.fromkeys(places) if path.is_dir())
