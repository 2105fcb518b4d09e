"""Finds what there is to compile: every module of `kernels/` that defines `compilations(arch)`."""

import importlib
import re
from collections.abc import Collection
from pathlib import Path

from kernels.compilation import Compilation

FOLDER = Path(__file__).parents[1]
_LISTS = re.compile(r"^def compilations\(", re.MULTILINE)


def modules(folder: Path = FOLDER) -> list[str]:
    """Names of the modules that list configurations."""
    return [
        ".".join(("kernels", *path.relative_to(folder).with_suffix("").parts)).removesuffix(".__init__")
        for path in sorted(folder.rglob("*.py"))
        if _LISTS.search(path.read_text(encoding="utf-8"))
    ]


def configurations(arch: str, dtypes: Collection[str] | None = None) -> list[Compilation]:
    """What all kernels list for an architecture.

    Args:
        arch: such as sm_90.
        dtypes: what to keep; None keeps all.

    Raises:
        ValueError: two configurations have one name.
    """
    listed = (one for name in modules() for one in importlib.import_module(name).compilations(arch))
    found = [one for one in listed if dtypes is None or one.facts["dtype"] in dtypes]
    names = [one.name for one in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"{arch}: listed twice: {', '.join(sorted(twice))}")
    return found
