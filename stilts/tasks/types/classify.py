"""A pair of sentences and one label. Example: {id, first, second, label}."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stilts.tasks.types import Coded, Coding, Columns, Decoded, Examples
from stilts.tasks.types.pieces import specials, tokenize
from stilts.tasks.types.ragged import Ragged
from stilts.tasks.types.sequences import columns, longest_first, pair

SCHEMA = pa.schema(
    [("id", pa.string()), ("first", pa.string()), ("second", pa.string()), ("label", pa.int32())]
)


def texts(example: Mapping[str, Any]) -> Iterator[str]:
    """Both sentences."""
    yield from (example["first"], example["second"])


def encode(examples: Examples, coding: Coding) -> Columns:
    """One item an example; the longer side is cut first. Adds `label`."""
    first = tokenize([example["first"] for example in examples], coding.tokenizer)
    second = tokenize([example["second"] for example in examples], coding.tokenizer)
    marks = specials(coding.tokenizer)
    kept = longest_first(first.lengths, second.lengths, coding.max_length - marks.of_pair)
    sequences = pair(first.head(kept[0]), second.head(kept[1]), marks)
    return columns(sequences) | {"label": np.asarray([example["label"] for example in examples], np.int32)}


def targets(
    columns: Mapping[str, Ragged | NDArray[np.int32]], rows: NDArray[np.int64]
) -> dict[str, NDArray[np.int64]]:
    """`label` [items]."""
    return {"label": np.asarray(columns["label"])[rows].astype(np.int64)}


def sizes(columns: Mapping[str, Ragged | NDArray[np.int32]]) -> NDArray[np.int64]:
    """One row of class scores an item."""
    return np.ones(len(columns["example"]), np.int64)


def decode(outputs: NDArray[np.float32], encoded: Coded) -> Decoded:  # noqa: ARG001
    """The likeliest label. `outputs`: [items, labels]."""
    shifted = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    best = outputs.argmax(axis=1)
    share = shifted[np.arange(len(best)), best] / shifted.sum(axis=1)
    return Decoded(values=best.tolist(), scores=share.astype(np.float32))
