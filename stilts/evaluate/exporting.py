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

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hpc.errors import UserError
from hpc.files import write_atomic
from stilts import tasks
from stilts.evaluate.scoring import Read, Stored, read, stored_in
from stilts.tasks.metrics.averages import COUNTED


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
    for stored in found:
        if stored.task.scorer == "pairs" and stored.kept is None:
            raise UserError(
                f"{path} keeps the gold pairs of {stored.name} only: evaluate its weights with "
                "python -m stilts.evaluate run"
            )
    files = {}
    for stored in found:
        one = read(stored)
        short = _count_problem(stored, one)
        if short and incomplete == "refuse":
            raise UserError(f"{short}; --incomplete allow exports what there is", code=3)
        lines += [short] if short else []
        suffix = "json" if stored.task.type == "span" else "tsv"
        name = f"{stored.task.name}/test-{stored.language}.{suffix}"
        files[name] = _WRITERS.get(stored.task.scorer, _tags)(stored, one)
    for name, text in files.items():
        write_atomic(to / name, text)
    print(f"{len(files)} files in {to}")
    for line in lines:
        print(f"INCOMPLETE: {line}")
    return 0


def _shortcomings(found: Sequence[Stored]) -> list[str]:
    """What of XTREME is not there, or only in part."""
    there = {(stored.task.name, stored.language) for stored in found}
    lines = []
    for name in COUNTED:
        missing = [code for code in tasks.load(name).languages if (name, code) not in there]
        whole = len(missing) == len(tasks.load(name).languages)
        if missing:
            lines.append(f"{name} is missing" + ("" if whole else f" in {', '.join(missing)}"))
    lines += [f"{stored.name} is limited to {stored.limit}" for stored in found if stored.limit]
    embedded = [stored.name for stored in found if stored.kept and stored.kept.cell.source == "embedded"]
    if embedded:
        lines.append(f"{len(embedded)} sets such as {embedded[0]} are embedded data, not XTREME's")
    return lines


def _count_problem(stored: Stored, found: Read) -> str:
    """How the predictions differ in number from the data, or the data from what was published."""
    count = len(found.examples["id"])
    if found.answers.missing:
        return f"{stored.name}: {found.answers.missing} of {count} examples have no prediction"
    published = stored.task.size_of(split=stored.split, language=stored.language)
    gold = _gold_count(found) if stored.task.type == "retrieve" else count
    if published is not None and not stored.limit and gold != published:
        return f"{stored.name}: {gold} examples, but {published} were published"
    return ""


def _gold_count(found: Read) -> int:
    sides = zip(found.examples["english"], found.examples["foreign"], strict=True)
    return sum(bool(english and foreign) for english, foreign in sides)


def _labels(stored: Stored, found: Read) -> str:
    names = ("0", "1") if stored.task.name == "pawsx" else found.labels
    return _lines("" if value is None else names[value] for value in found.answers.predictions)


def _tags(stored: Stored, found: Read) -> str:
    """Tags as they are; a missing sentence is all `O`, or `X` for parts of speech."""
    outside = "X" if stored.task.scorer == "pos" else "O"
    sentences = [
        [outside] * len(gold) if tags is None else tags
        for tags, gold in zip(found.answers.predictions, found.examples["tags"], strict=True)
    ]
    for tags, gold, name in zip(sentences, found.examples["tags"], found.examples["id"], strict=True):
        if len(tags) != len(gold):
            raise UserError(f"{stored.name} {name}: {len(tags)} tags for {len(gold)} words", code=3)
    return "\n\n".join("\n".join(tags) for tags in sentences) + "\n"


def _answers(stored: Stored, found: Read) -> str:
    ids = [str(name) for name in found.examples["id"]]
    if len(set(ids)) < len(ids):
        raise UserError(f"{stored.name}: the data repeat an id, and a submission names answers by id", code=3)
    answers = {name: value or "" for name, value in zip(ids, found.answers.predictions, strict=True)}
    return json.dumps(answers, ensure_ascii=False, indent=1) + "\n"


def _mined(stored: Stored, found: Read) -> str:
    """Ids out of examples `foreign/english`, of which a distractor has one."""
    ids = [str(name).partition("/") for name in found.examples["id"]]
    pairs = []
    for english, foreign in found.answers.predictions:
        pair = (ids[foreign][0], ids[english][2])
        if not all(pair):
            raise UserError(
                f"{stored.name}: {found.examples['id'][english]!r} is no pair of sentence ids", code=3
            )
        pairs.append("\t".join(pair))
    return _lines(sorted(pairs))


def _nearest(stored: Stored, found: Read) -> str:  # noqa: ARG001
    answers = dict(found.answers.predictions)
    english = found.examples["english"]
    order = sorted(range(len(english)), key=lambda row: english[row])
    return _lines(str(answers.get(row, -1)) for row in order)


def _lines(values: Any) -> str:
    return "".join(f"{value}\n" for value in values)


_WRITERS: Mapping[str, Callable[[Stored, Read], str]] = {
    "accuracy": _labels,
    "pos": _tags,
    "entities": _tags,
    "squad": _answers,
    "mlqa": _answers,
    "pairs": _mined,
    "nearest": _nearest,
}
