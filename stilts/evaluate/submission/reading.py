"""Reads a submission's files as XTREME's scorer does, strictly, and scores them against the data."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpc.errors import UserError
from hpc.files import is_there, read_json
from hpc.settings import decode
from stilts import data, tasks
from stilts.data.sources import choose
from stilts.evaluate.averages import COUNTED
from stilts.evaluate.submission.writing import MANIFEST, ManifestEntry, file_name
from stilts.evaluate.summary import ScoreSummary, cell_line
from stilts.tasks import Task, metrics, types as task_types
from stilts.tasks.metrics import Predictions, Scored, Submitted


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoredFile:
    """A file of a submission, scored."""

    task: Task
    language: str
    scored: Scored
    shortfall: str


def is_submission(folder: Path) -> bool:
    """Whether the folder holds files as a submission has them."""
    return next(_files(folder), None) is not None


def scored_files(folder: Path, sources: Sequence[str]) -> Iterator[ScoredFile]:
    """The files of a submission in XTREME's order, each scored.

    Args:
        folder: of the submission.
        sources: where data are looked for, of files that no manifest speaks of.

    Raises:
        UserError: a file that does not fit its data, with its line, or is not the one the manifest names; or
            data that are not there, or other ones (code 3).
    """
    entries = _manifest(folder)
    for path, task, language in _files(folder):
        entry = entries.get(path.relative_to(folder).as_posix())
        if entries and entry is None:
            raise UserError(f"{path} is not in {folder / MANIFEST}", code=3)
        yield _scored(path, task, language, entry, entry.sources if entry else sources)
    for name in entries:
        if not (folder / name).is_file():
            raise UserError(f"{folder / name} is missing, though {MANIFEST} names it", code=3)


def score_submission(folder: Path, sources: Sequence[str]) -> int:
    """Shows the scores of all files and their means; returns the exit code."""
    board = ScoreSummary()
    for one in scored_files(folder, sources):
        name, values = one.task.name, one.scored.values
        board.take(name, one.language, values, shortfall=one.shortfall)
        count = len(one.scored.by_example)
        print(cell_line(name, one.language, values, count=count, num_full=count, limit=""), flush=True)
    print("\n".join(board.lines()))
    return 0


def _files(folder: Path) -> Iterator[tuple[Path, Task, str]]:
    for name in COUNTED:
        task = tasks.load(name)
        for language in task.languages:
            path = folder / file_name(task, language)
            if path.is_file():
                yield path, task, language


def _manifest(folder: Path) -> dict[str, ManifestEntry]:
    path = folder / MANIFEST
    if not is_there(path):
        return {}
    found = read_json(path)
    files = found.get("files") if isinstance(found, dict) else None
    if not isinstance(files, dict):
        raise UserError(f"{path} is no manifest of a submission", code=3)
    return {name: decode(ManifestEntry, entry, str(path)) for name, entry in files.items()}


def _scored(
    path: Path, task: Task, language: str, entry: ManifestEntry | None, sources: Sequence[str]
) -> ScoredFile:
    chosen = choose(
        task, language=language, split=task.set_of(split="test", language=language), sources=sources
    )
    content = path.read_bytes()
    if entry and hashlib.sha256(content).hexdigest() != entry.sha256:
        raise UserError(f"{path} is not the file that {MANIFEST} names: it was changed since", code=3)
    if entry and (entry.source, entry.version) != (chosen.name, chosen.version):
        raise UserError(
            f"{path} answers other data ({entry.source} {entry.version[:12]}) than are here ({chosen.name} "
            f"{chosen.version[:12]}): bring those back",
            code=3,
        )
    kind, metric = task_types.load(task.type), metrics.load(task.metric)
    examples: dict[str, list[Any]] = {name: [] for name in kind.schema.names}
    rows = entry.rows if entry else None
    for example in data.read(task, language=language, split="test", sources=sources, limit=rows):
        for name in kind.schema.names:
            examples[name].append(example[name])
    given = Submitted(
        predictions=_predictions(examples, (), language),
        labels=task.submitted_labels or data.labels(task, sources=sources),
        name=str(path),
    )
    assert metric.submitted is not None, "all of XTREME's metrics have one"
    try:
        values = metric.submitted(content.decode("utf-8"), given)
        scored = metric.score(_predictions(examples, values, language))
    except ValueError as error:  # bytes that are no text among them
        raise UserError(f"{path}: {error}", code=3) from error
    short = task.shortfall(
        split="test", language=language, source=chosen.name, count=kind.num_scored(examples)
    )
    return ScoredFile(task=task, language=language, scored=scored, shortfall=short)


def _predictions(examples: Mapping[str, Any], values: Sequence[Any], language: str) -> Predictions:
    return Predictions(examples=examples, values=values, confidences=None, language=language)
