"""What sources that read files share: rows of a set out of the files that make it up."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpc.errors import UserError
from stilts.data import formats
from stilts.data.formats import Record, parquet
from stilts.tasks import Task, metrics


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Files that make up a set, or a part of it."""

    part: str
    format: str
    """Module of `stilts.data.formats`."""
    paths: tuple[Path, ...]
    options: Mapping[str, Any]


def rows_of(found: Sequence[Found], task: Task, *, language: str, limit: int | None) -> Iterator[Record]:
    """Rows of one language as they lie in the files, part after part.

    A limit counts rows of this language over all parts. In a pool for mining it counts the pairs, and every
    distractor stays, since fewer of them make mining easier.

    Raises:
        UserError: a file cannot be read; or files of several languages do not have this one.
    """
    count, mines = 0, bool(task.metric) and metrics.load(task.metric).mines
    for row in _of_language(found, task, language):
        distractor = mines and not (row["source_sentence"] and row["target_sentence"])
        if limit is None or distractor or count < limit:
            yield row
        elif not mines:
            return
        count += not distractor


def size_of(found: Sequence[Found], task: Task) -> int | None:
    """Rows there are; None when that cannot be told without reading."""
    if task.language_of is not None or any(part.format != "parquet" for part in found):
        return None
    return sum(parquet.count(part.paths) for part in found)


def missing_shard(names: Sequence[str]) -> str | None:
    """The first missing one of files numbered as in `train-00000-of-00002.parquet`; None when whole."""
    for name in names:
        stem, of, rest = name.partition("-of-")
        total, dot, suffix = rest.partition(".")
        if of and total.isdecimal():
            prefix = stem.rpartition("-")[0]
            wanted = [f"{prefix}-{number:05d}-of-{total}{dot}{suffix}" for number in range(int(total))]
            return next((shard for shard in wanted if shard not in names), None)
    return None


def _of_language(found: Sequence[Found], task: Task, language: str) -> Iterator[Record]:
    others: dict[str, None] = {}
    none = True
    for part in found:
        for row in formats.load(part.format).rows(part.paths, language=language, **part.options):
            spoken = _spoken(row, task)
            if spoken in ("", language):
                none = False
                yield row
            else:
                others[spoken] = None
    if none and others:
        paths = ", ".join(str(path) for part in found for path in part.paths)
        raise UserError(f"{paths}: no row in {language!r}, only in {', '.join(others)}", code=3)


def _spoken(row: Record, task: Task) -> str:
    if task.language_of is None:
        return ""
    try:
        return task.language_of(row)
    except KeyError as error:
        raise formats.refuse(
            row.path, row.number, f"no column {error}; there are: {', '.join(row)}"
        ) from error
