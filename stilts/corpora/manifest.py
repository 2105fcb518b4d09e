"""A folder of data on its own: its manifest, whether its files are what that says, and reading from it."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hpc.errors import UserError
from hpc.settings import decode
from stilts.corpora.required import RequiredSet
from stilts.data.sources import folder as folders

MANIFEST = "manifest.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A file of the mirror, as the manifest has it."""

    sha256: str
    bytes: int
    repo: str
    revision: str
    """The commit."""
    path: str
    """Within the repository."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What a folder of data holds."""

    files: dict[str, Entry] = field(default_factory=dict)
    """By path below the folder."""
    extent: Literal["whole", "sample"] = "whole"
    """`sample`: a few examples of each set and not every language, as for tests."""


def read_manifest(folder: Path) -> Manifest:
    """What the manifest says; empty where there is none.

    Raises:
        UserError: it cannot be read.
    """
    path = folder / MANIFEST
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Manifest()
    try:
        found: Manifest = decode(Manifest, json.loads(text), str(path))
    except ValueError as error:
        raise UserError(
            f"{path} is no manifest ({error}): move it away; all files are fetched again"
        ) from error
    return found


def unread(needs: Sequence[RequiredSet], folder: Path) -> list[str]:
    """What the `folder` source still misses or finds damaged, a line each."""
    complaints = []
    with reading_from(folder):
        for need in needs:
            try:
                folders.find(need.task, language=need.language, split=need.split)
            except UserError as problem:
                complaints.append(str(problem))
    return complaints


def damaged(folder: Path, *, tasks: Sequence[str]) -> Iterator[str]:
    """Files of those tasks that differ from the manifest, a line each."""
    for place, entry in sorted(read_manifest(folder).files.items()):
        if place.partition("/")[0] not in tasks:
            continue
        path = folder / place
        if not path.is_file():
            yield f"{path} is missing, though the manifest has it"
        elif path.stat().st_size != entry.bytes:
            yield f"{path} has {path.stat().st_size} bytes, not {entry.bytes}"
        elif digest(path) != entry.sha256:
            yield f"{path} has another sha256 than the manifest"


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def reading_from(folder: Path) -> Iterator[None]:
    """Has the `folder` source read from there."""
    before = os.environ.get(folders.ROOT)
    os.environ[folders.ROOT] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[folders.ROOT]
        else:
            os.environ[folders.ROOT] = before
