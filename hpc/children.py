"""Interpreters that this process starts: they find these packages, wherever they run."""

import os
from pathlib import Path


def environment() -> dict[str, str]:
    """What they are given to read."""
    root = str(Path(__file__).parents[1])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    return os.environ | {"PYTHONPATH": path}
