"""A folder of data: original files as their authors publish them, or a staged copy of the Hub's.

It lies at $STILTS_DATA, else at `data` in the working directory. Where a task's files are expected below it
stands in the task (`Task.folder`); a staged copy lies at <task>/[<part>/]<path on the Hub>. Where the folder
is is no part of a version: that is a digest of the files' bytes.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from hpc.errors import UserError
from hpc.files import matching, raise_unreadable
from stilts.data.formats import Record
from stilts.data.sources._files import Found, missing_shard, rows_of, size_of
from stilts.data.versions import of_value
from stilts.tasks import FolderFiles, HubFiles, Task

ROOT = "STILTS_DATA"
"""Variable that names the folder."""
_MOST_FOLDERS = 20_000


def root() -> Path:
    """The data folder, whether it exists or not."""
    return Path(os.environ.get(ROOT) or "data")


def version(task: Task, *, language: str, split: str) -> str:
    """Digest of the files that are read."""
    found = find(task, language=language, split=split)
    return of_value({"files": [[part.part, part.format, *map(_digest, part.paths)] for part in found]})


def rows(task: Task, *, language: str, split: str, limit: int | None, seed: int) -> Iterator[Record]:  # noqa: ARG001
    """Rows of the files as they lie."""
    return rows_of(find(task, language=language, split=split), task, language=language, limit=limit)


def labels(task: Task) -> None:  # noqa: ARG001
    """Not known without reading."""
    return


def size(task: Task, *, language: str, split: str) -> int | None:
    """Rows of parquet files that hold one language only; None for all else, which would have to be read."""
    return size_of(find(task, language=language, split=split), task)


def find(task: Task, *, language: str, split: str) -> tuple[Found, ...]:
    """The files of a set, one entry a part and split of it; original files come before staged ones.

    Raises:
        UserError: a part is missing (code 3); what was looked for, and what there is instead.
    """
    places = (*task.folder, *(staged(task, files) for files in task.hub))
    parts = dict.fromkeys(place.part for place in places)
    return tuple(
        found
        for part in parts
        for found in _first(task, [place for place in places if place.part == part], language, split)
    )


def staged(task: Task, files: HubFiles) -> FolderFiles:
    """Where files of the Hub lie in a staged folder."""
    path = files.path.replace("{config}", files.config)
    return FolderFiles(
        format=files.format,
        files=("/".join(filter(None, (task.name, files.part, path))),),
        sets=files.sets,
        names=files.names,
        part=files.part,
    )


def _first(task: Task, places: Sequence[FolderFiles], language: str, split: str) -> list[Found]:
    """The first of the alternatives for a part that is there."""
    for place in places:
        if not place.unlike and (found := _at(place, language, split)):
            return found
    raise UserError(_absence(task, places, language, split), code=3)


def _at(place: FolderFiles, language: str, split: str) -> list[Found]:
    """Files of one alternative; empty when none of them is there.

    Raises:
        UserError: only some of the files that belong together are there, or one of them twice.
    """
    groups = [
        [(pattern, _match(pattern)) for pattern in group]
        for group in place.patterns(language=language, split=split)
    ]
    if not any(paths for group in groups for _, paths in group):
        return []
    for group in groups:
        for pattern, paths in group:
            _check(pattern, paths)
    return [
        Found(
            part=place.part,
            format=place.format,
            paths=tuple(path for _, paths in group for path in paths),
            options=place.options,
        )
        for group in groups
    ]


def _match(pattern: str) -> list[Path]:
    """By file name, then folder: XTREME joins a language's treebanks so (`it_partut` before `it_pud`, whose
    folders stand the other way round).
    """
    head, anywhere, tail = pattern.partition("**/")
    folders = _below(root() / head) if anywhere else [root()]
    found = {path for folder in folders for path in matching(folder, tail or head)}
    return sorted(found, key=lambda path: (path.name, str(path)))


def _below(folder: Path) -> Iterator[Path]:
    """The folder and those below it, each once, however many links lead there; hidden ones are left out.

    Raises:
        Unreadable: the system does not list one of them.
        UserError: there are more than a data folder has.
    """
    seen: set[tuple[int, int]] = set()
    for here, inside, _ in os.walk(folder, followlinks=True, onerror=raise_unreadable):
        status = os.stat(here)
        inside[:] = [name for name in inside if not name.startswith(".")]
        if (status.st_dev, status.st_ino) in seen:
            inside.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        if len(seen) > _MOST_FOLDERS:
            raise UserError(f"{folder} holds over {_MOST_FOLDERS:,} folders: is it a data folder?", code=3)
        yield Path(here)


def _check(pattern: str, paths: Sequence[Path]) -> None:
    """One file for each pattern, or several where its last part has a star; of numbered ones, all."""
    if not paths:
        raise UserError(f"{root() / pattern} is missing, though files that belong to it are there", code=3)
    if "*" not in Path(pattern).name and len(paths) > 1:
        raise UserError(f"{paths[0]} and {paths[1]} are both {pattern}: keep one of them", code=3)
    for path in paths:
        if not path.is_file():
            raise UserError(f"{path} is not a file", code=3)
    shard = missing_shard([path.name for path in paths])
    if shard is not None:
        raise UserError(f"{paths[0].parent / shard} is missing, though its neighbours are there", code=3)


def _absence(task: Task, places: Sequence[FolderFiles], language: str, split: str) -> str:
    """Why a part is not there: what was looked for, what is there instead, what to do."""
    part = f" ({places[0].part})" if places and places[0].part else ""
    what = f"{task.name}{part} {language} {split}"
    advice = f". {task.absence}" if task.absence else ""
    if not root().is_dir():
        return f"there is no data folder {root()}: set {ROOT}, or run `python -m stilts data stage`{advice}"
    for place in places:
        if place.unlike and (found := _at(place, language, split)):
            return f"{found[0].paths[0]} cannot serve as {what}: {place.unlike}"
    usable = [place for place in places if not place.unlike]
    others = [
        code
        for code in task.languages
        if code != language and any(_at(place, code, split) for place in usable)
    ]
    patterns = [place.patterns(language=language, split=split) for place in usable]
    looked = ", ".join(dict.fromkeys(groups[0][0] for groups in patterns if groups))
    there = f"; it is there in {', '.join(others)}" if others else ""
    return f"{root()} lacks {what}{there}; looked for {looked or 'nothing: it is not published'}{advice}"


def _digest(path: Path) -> str:
    status = path.stat()
    return _digest_of(path, status.st_mtime_ns, status.st_size)


@cache
def _digest_of(path: Path, changed: int, size: int) -> str:  # noqa: ARG001
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
