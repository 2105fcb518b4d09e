"""Hashes that tell whether two pieces of code or data are the same."""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from hpc.files import files_below


@cache
def of_code(*places: Path) -> str:
    """Hash over the Python files of the given files and folders, their names included."""
    total = hashlib.sha256()
    for place in places:
        for path in files_below(place, "*.py") if place.is_dir() else [place]:
            total.update(f"{path.relative_to(place.parent)}\0".encode() + path.read_bytes())
    return total.hexdigest()


def of_file(path: Path) -> str:
    """Hash over a file's bytes."""
    status = path.stat()
    return _of_file(path, status.st_mtime_ns, status.st_size)


def of_value(value: Mapping[str, Any]) -> str:
    """Hash over a JSON object, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@cache
def _of_file(path: Path, changed: int, size: int) -> str:  # noqa: ARG001
    return hashlib.sha256(path.read_bytes()).hexdigest()
