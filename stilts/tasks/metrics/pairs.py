"""F1 over pairs of sentences mined from two pools."""

from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np

from hpc.errors import UserError
from stilts.tasks.metrics import Floats, Metric, Predictions, Scored, Stored, Submitted, lines, lines_of

Pair = tuple[int, int]
"""Row of the English sentence, row of the foreign one."""


def gold_pairs(examples: Mapping[str, Sequence[Any]]) -> set[Pair]:
    """An example with both sides is a pair with itself; one side alone is a distractor's."""
    sides = zip(examples["english"], examples["foreign"], strict=True)
    return {(row, row) for row, (english, foreign) in enumerate(sides) if english and foreign}


def pair_f1(found: Set[Pair], gold: Set[Pair]) -> float:
    """F1 of a set of pairs, 0 to 100; 0 when none is right."""
    right = len(found & gold)
    return 200 * right / (len(found) + len(gold)) if right else 0.0


def score(given: Predictions) -> Scored:
    """`f1`; by example, whether each gold pair was found."""
    gold = gold_pairs(given.examples)
    found = {(int(english), int(foreign)) for english, foreign in given.values}
    by_example = np.asarray([pair in found for pair in sorted(gold)], np.float32)
    return Scored(values={"f1": pair_f1(found, gold)}, by_example=by_example)


def _contributions(stored: Stored, language: str) -> Floats:  # noqa: ARG001
    """A row is a gold pair, found or not, or a pair that should not have been found."""
    predicted = [pred is not None for pred in stored["pred"]]
    gold = [pair is not None for pair in stored["gold"]]
    return np.stack([np.asarray(stored["score"]) == 1, predicted, gold], axis=1).astype(float)


def _submission(given: Submitted) -> str:
    """Foreign id, tab, English id, out of examples `foreign/english`, of which a distractor has one."""
    names = given.predictions.examples["id"]
    ids = [str(name).partition("/") for name in names]
    pairs = []
    for english, foreign in given.predictions.values:
        pair = (ids[foreign][0], ids[english][2])
        if not all(pair):
            raise UserError(f"{given.name}: {names[english]!r} is no pair of sentence ids", code=3)
        pairs.append("\t".join(pair))
    return lines(sorted(pairs))


def _submitted(text: str, given: Submitted) -> list[Pair]:
    """Rows of the ids, each pair once."""
    sides: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for row, name in enumerate(given.predictions.examples["id"]):
        foreign, _, english = str(name).partition("/")
        for side, part in zip(sides, (foreign, english), strict=True):
            if part:
                side.setdefault(part, row)
    pairs: dict[Pair, None] = {}
    for number, line in enumerate(lines_of(text), start=1):
        foreign, _, english = line.partition("\t")
        if foreign not in sides[0] or english not in sides[1]:
            raise ValueError(f"line {number}: {line[:80]!r} is no foreign id, tab, English id of the data")
        pair = (sides[1][english], sides[0][foreign])
        if pair in pairs:
            raise ValueError(f"line {number}: the pair stands there twice")
        pairs[pair] = None
    return list(pairs)


METRIC = Metric(
    score=score,
    reports=("f1",),
    counted=("f1",),
    contributions=_contributions,
    resampled="f1",
    submission=_submission,
    submitted=_submitted,
    mines=True,
)
