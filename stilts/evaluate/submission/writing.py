"""Writes a submission with its manifest, once every file has been read back and says what was answered."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hpc.errors import UserError
from hpc.files import files_below, write_atomic
from stilts import tasks
from stilts.evaluate.averages import COUNTED
from stilts.evaluate.scoring import LoadedPredictions, StoredPredictions, read
from stilts.tasks import Task, metrics, types as task_types
from stilts.tasks.metrics import Submitted

MANIFEST = "manifest.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class ManifestEntry:
    """A file of a submission, and whose answers to which data it holds."""

    task: str
    language: str
    sha256: str
    run: str
    model: str
    """Digest of its files."""
    source: str
    version: str
    sources: tuple[str, ...]
    """Where the data were looked for."""
    rows: int | None
    """Rows read at most."""
    examples: int
    missing: int
    """Examples without an answer."""
    shortfall: str
    """What keeps the set from being XTREME's; empty where nothing known does."""


def file_name(task: Task, language: str) -> str:
    """Path of a file in a submission."""
    return f"{task.name}/test-{language}.{metrics.load(task.metric).suffix}"


def export(found: Sequence[StoredPredictions], *, what: str, to: Path, incomplete: str) -> int:
    """Writes the submission; returns the exit code.

    Args:
        found: predictions of XTREME's targets.
        what: whose they are, for messages and the manifest.
        to: folder to write; an older export's files are replaced, and those no longer in it go.
        incomplete: `refuse` or `allow` sets that are not the whole of XTREME.

    Raises:
        UserError: something is missing, counts differ from those of the data, or the folder holds else.
    """
    lines = _shortcomings(found)
    if lines and incomplete == "refuse":
        raise UserError(
            f"{what} is no complete XTREME submission: {'; '.join(lines[:6])}"
            + (f"; and {len(lines) - 6} more" if len(lines) > 6 else "")
            + "; --incomplete allow exports what there is",
            code=3,
        )
    files: dict[str, str] = {}
    entries: dict[str, ManifestEntry] = {}
    for stored in found:
        name, text, entry = _file(stored)
        files[name], entries[name] = text, entry
        problems = [f"{entry.missing} of {entry.examples} examples have no prediction"] * bool(entry.missing)
        problems += [f"{entry.shortfall}, which is not XTREME's"] * bool(entry.shortfall)
        if problems and incomplete == "refuse":
            raise UserError(f"{stored.name}: {problems[0]}; --incomplete allow exports what there is", code=3)
        lines += [f"{stored.name}: {problem}" for problem in problems]
    _write(to, files, _manifest(what, entries, lines))
    print(f"{len(files)} files in {to}")
    for line in lines:
        print(f"INCOMPLETE: {line}")
    return 0


def _file(stored: StoredPredictions) -> tuple[str, str, ManifestEntry]:
    """Name and text of a file, and what it holds.

    Raises:
        UserError: the predictions do not fit their data, or a file would not say what was answered.
    """
    found, cell = read(stored), stored.cell
    metric = metrics.load(stored.task.metric)
    assert metric.submission is not None, "all of XTREME's metrics have one"
    assert metric.submitted is not None, "what can be written can be read"
    given = Submitted(
        predictions=found.predictions(cell.language),
        labels=stored.task.submitted_labels or found.labels,
        name=stored.name,
    )
    text = metric.submission(given)
    back = metric.submitted(text, given)
    if metric.submission(given.answered(back)) != text:
        raise UserError(f"{stored.name}: the file would not hold what was answered", code=1)
    entry = ManifestEntry(
        task=cell.task,
        language=cell.language,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        run=str(stored.kept.common.get("run_id", "")),
        model=cell.model,
        source=cell.source,
        version=cell.version,
        sources=stored.kept.sources,
        rows=stored.kept.rows,
        examples=len(found.examples["id"]),
        missing=found.answers.missing,
        shortfall=_shortfall(stored, found),
    )
    return file_name(stored.task, cell.language), text, entry


def _manifest(what: str, entries: Mapping[str, ManifestEntry], lines: Sequence[str]) -> dict[str, Any]:
    return {
        "of": what,
        "is_complete": not lines,
        "incomplete": list(lines),
        "files": {name: asdict(entry) for name, entry in sorted(entries.items())},
    }


def _write(to: Path, files: Mapping[str, str], manifest: Mapping[str, Any]) -> None:
    """The manifest goes first and comes last: where it lies, every file is the one it names."""
    strange = files_below(to)
    known = {file_name(tasks.load(name), code) for name in COUNTED for code in tasks.load(name).languages}
    for path in strange:
        name = path.relative_to(to).as_posix()
        if name not in known and name != MANIFEST:
            raise UserError(f"{path} is no part of a submission: give an empty --output folder")
    (to / MANIFEST).unlink(missing_ok=True)
    for path in strange:
        if path.name != MANIFEST and path.relative_to(to).as_posix() not in files:
            path.unlink()
    for name, text in files.items():
        write_atomic(to / name, text)
    write_atomic(to / MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")


def _shortcomings(found: Sequence[StoredPredictions]) -> list[str]:
    """What of XTREME is not there, or only in part."""
    there = {(stored.cell.task, stored.cell.language) for stored in found}
    lines = []
    for name in COUNTED:
        missing = [code for code in tasks.load(name).languages if (name, code) not in there]
        whole = len(missing) == len(tasks.load(name).languages)
        if missing:
            lines.append(f"{name} is missing" + ("" if whole else f" in {', '.join(missing)}"))
    return lines


def _shortfall(stored: StoredPredictions, found: LoadedPredictions) -> str:
    """What keeps the data from being the set that was published."""
    cell, count = stored.cell, task_types.load(stored.task.type).num_scored(found.examples)
    return stored.task.shortfall(split=cell.split, language=cell.language, source=cell.source, count=count)
