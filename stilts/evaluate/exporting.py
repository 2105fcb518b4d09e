"""An XTREME submission out of stored predictions.

The layout follows the README, `evaluate.py`, the mock data and the preprocessing code of
github.com/google-research/xtreme: a folder for each of the nine tasks, in it `test-{language}.tsv`, for
questions `test-{language}.json`, languages as two letters. A line holds

    xnli                entailment, neutral or contradiction
    pawsx               0 or 1 (the same meaning)
    udpos, panx         one tag; an empty line after a sentence
    bucc2018            foreign id, tab, English id
    tatoeba             number, from 0, of the foreign sentence nearest to an English one; foreign sentences
                        stand as published, English ones sorted by their text as XTREME's preprocessing does
    xquad mlqa tydiqa   one JSON object: question id to answer

Recalled and not checked: that the Hub's Tatoeba keeps the order of the published files. XTREME's UD-POS
keeps fused words: its counts are met only by the treebanks, not by the Hub's copy.
"""

from collections.abc import Sequence
from pathlib import Path

from hpc.errors import UserError
from hpc.files import write_atomic
from stilts import tasks
from stilts.evaluate.averages import COUNTED
from stilts.evaluate.scoring import LoadedPredictions, StoredPredictions, read, stored_in
from stilts.tasks import metrics, types as task_types
from stilts.tasks.metrics import Submitted


def export(path: Path, *, to: Path, incomplete: str) -> int:
    """Writes the submission of a folder of predictions; returns the exit code.

    Args:
        path: the folder of an evaluation, or a run of a grid.
        to: folder to write; it may hold an older export, whose files are replaced.
        incomplete: `refuse` or `allow` sets that are not the whole of XTREME.

    Raises:
        UserError: something is missing, or counts differ from those of the data.
    """
    found = [stored for stored in stored_in(path) if stored.task.name in COUNTED]
    lines = _shortcomings(found)
    if lines and incomplete == "refuse":
        raise UserError(
            f"{path} is no complete XTREME submission: {'; '.join(lines[:6])}"
            + (f"; and {len(lines) - 6} more" if len(lines) > 6 else "")
            + "; --incomplete allow exports what there is",
            code=3,
        )
    files = {}
    for stored in found:
        one = read(stored)
        short = _count_problem(stored, one)
        if short and incomplete == "refuse":
            raise UserError(f"{short}; --incomplete allow exports what there is", code=3)
        lines += [short] if short else []
        metric = metrics.load(stored.task.metric)
        assert metric.submission is not None, "all of XTREME's metrics have one"
        submitted = Submitted(
            predictions=one.predictions(stored.cell.language),
            labels=stored.task.submitted_labels or one.labels,
            name=stored.name,
        )
        name = f"{stored.cell.task}/test-{stored.cell.language}.{metric.suffix}"
        files[name] = metric.submission(submitted)
    for name, text in files.items():
        write_atomic(to / name, text)
    print(f"{len(files)} files in {to}")
    for line in lines:
        print(f"INCOMPLETE: {line}")
    return 0


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


def _count_problem(stored: StoredPredictions, found: LoadedPredictions) -> str:
    """How the predictions differ in number from the data, or the data from what was published."""
    count = len(found.examples["id"])
    if found.answers.missing:
        return f"{stored.name}: {found.answers.missing} of {count} examples have no prediction"
    sides = [found.examples[name] for name in task_types.load(stored.task.type).sides]
    gold = sum(map(all, zip(*sides, strict=True))) if sides else count
    cell = stored.cell
    short = stored.task.shortfall(split=cell.split, language=cell.language, source=cell.source, count=gold)
    return f"{stored.name}: {short}, which is not XTREME's" if short else ""
