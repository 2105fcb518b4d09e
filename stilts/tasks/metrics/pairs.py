"""Sentence pairs: which are gold, and F1 over sets of them."""

from collections.abc import Mapping, Sequence, Set
from typing import Any

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
