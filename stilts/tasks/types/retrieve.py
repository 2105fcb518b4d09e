"""Sentences of two languages to be paired. Example: {id, english, foreign}; a distractor has one side."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hpc.errors import UserError
from stilts.tasks.coding.pieces import specials, tokenize
from stilts.tasks.coding.sequences import columns, single
from stilts.tasks.types import Answers, Coding, Columns, Encoded, Examples, Given, TaskType
from stilts.tasks.types._rows import Stored, unique

SCHEMA = pa.schema([("id", pa.string()), ("english", pa.string()), ("foreign", pa.string())])
ENGLISH, FOREIGN = 0, 1


def texts(example: Mapping[str, Any]) -> Iterator[str]:
    """The sides that are there."""
    yield from (example[side] for side in ("english", "foreign") if example[side])


def encode(examples: Examples, coding: Coding) -> Encoded:
    """One item a sentence, cut at the end. Adds `side`: `ENGLISH` or `FOREIGN`."""
    found = [
        (number, side, example[name])
        for number, example in enumerate(examples)
        for side, name in ((ENGLISH, "english"), (FOREIGN, "foreign"))
        if example[name]
    ]
    pieces = tokenize([text for _, _, text in found], coding.tokenizer)
    marks = specials(coding.tokenizer)
    kept = np.minimum(pieces.lengths, coding.max_length - marks.of_single)
    owners = np.asarray([number for number, _, _ in found], np.int32)
    side = np.asarray([side for _, side, _ in found], np.int32)
    return columns(single(pieces.head(kept), marks), example=owners) | {"side": side}


def targets(
    columns: Columns,  # noqa: ARG001
    rows: NDArray[np.int64],  # noqa: ARG001
) -> dict[str, NDArray[np.int64]]:
    """None: retrieval is never trained."""
    return {}


def sizes(columns: Columns) -> NDArray[np.int64]:
    """One vector an item."""
    return np.ones(len(columns["example"]), np.int64)


def rows(kind: TaskType, given: Given) -> list[dict[str, Any]]:  # noqa: ARG001
    """One row a gold pair, and of a pool one a pair whose English sentence has no translation there.

    The prediction is the foreign sentence itself. Where a set has a sentence twice, `score` tells the right
    copy from another one.
    """
    found = dict(given.values)
    ids, foreign, english = (list(given.examples[name]) for name in ("id", "foreign", "english"))
    pairs = [row for row in range(len(ids)) if english[row] and foreign[row]]
    out: list[dict[str, Any]] = [
        {
            "example_id": str(ids[row]),
            "gold": foreign[row],
            "pred": None if row not in found else foreign[found[row]],
            "score": float(found.get(row) == row),
        }
        for row in pairs
    ]
    known = set(pairs)
    out += [
        {"example_id": str(ids[row]), "pred": foreign[match], "score": 0.0}
        for row, match in given.values
        if row not in known
    ]
    names = unique(row["example_id"] for row in out)
    return [row | {"example_id": name} for row, name in zip(out, names, strict=True)]


def answers(
    kind: TaskType,  # noqa: ARG001
    examples: Mapping[str, Sequence[Any]],
    labels: Sequence[str],  # noqa: ARG001
    stored: Stored,
    *,
    where: str,
) -> Answers:
    """Pairs of rows (english, foreign) out of stored sentences."""
    copies: dict[str, list[int]] = defaultdict(list)
    for row, text in enumerate(examples["foreign"]):
        copies[text].append(row)
    pairs, missing = [], 0
    for row, name in enumerate(unique(examples["id"])):
        answer = stored.get(name)
        if answer is None:
            missing += bool(examples["english"][row] and examples["foreign"][row])
        elif answer["pred"] is not None:
            places = copies.get(answer["pred"])
            if not places:
                raise UserError(f"{where} {name}: the data have no sentence {answer['pred']!r}", code=3)
            others = [place for place in places if place != row]
            is_right = row in places and (answer["score"] == 1 or not others)
            pairs.append((row, row if is_right else others[0]))
    return Answers(predictions=pairs, confidences=None, missing=missing)


TYPE = TaskType(
    schema=SCHEMA,
    texts=texts,
    encode=encode,
    targets=targets,
    sizes=sizes,
    head=None,
    rows=rows,
    answers=answers,
    sides=("english", "foreign"),
)
