"""Sentences of two languages to be paired. Example: {id, english, foreign}; a distractor has one side."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stilts.tasks.types import Coded, Coding, Columns, Decoded, Examples
from stilts.tasks.types.pieces import specials, tokenize
from stilts.tasks.types.ragged import Ragged
from stilts.tasks.types.sequences import columns, single

SCHEMA = pa.schema([("id", pa.string()), ("english", pa.string()), ("foreign", pa.string())])
ENGLISH, FOREIGN = 0, 1


def texts(example: Mapping[str, Any]) -> Iterator[str]:
    """The sides that are there."""
    yield from (example[side] for side in ("english", "foreign") if example[side])


def encode(examples: Examples, coding: Coding) -> Columns:
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
    columns: Mapping[str, Ragged | NDArray[np.int32]],  # noqa: ARG001
    rows: NDArray[np.int64],  # noqa: ARG001
) -> dict[str, NDArray[np.int64]]:
    """None: retrieval is never trained."""
    return {}


def sizes(columns: Mapping[str, Ragged | NDArray[np.int32]]) -> NDArray[np.int64]:
    """One vector an item."""
    return np.ones(len(columns["example"]), np.int64)


def decode(outputs: NDArray[np.float32], encoded: Coded) -> Decoded:  # noqa: ARG001
    """There is nothing to decode item by item: pairs come from comparing all vectors.

    Raises:
        TypeError: always.
    """
    raise TypeError("retrieval compares all vectors of a language: see stilts.evaluate.retrieval")
