"""A pair of sentences and one label. Example: {id, first, second, label}."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stilts.tasks.coding.pieces import specials, tokenize
from stilts.tasks.coding.sequences import columns, longest_first, pair
from stilts.tasks.types import (
    Coded,
    Coding,
    Columns,
    Decoded,
    Encoded,
    Example,
    Examples,
    TaskType,
    label_index,
    label_name,
)

SCHEMA = pa.schema(
    [("id", pa.string()), ("first", pa.string()), ("second", pa.string()), ("label", pa.int32())]
)


def texts(example: Mapping[str, Any]) -> Iterator[str]:
    """Both sentences."""
    yield from (example["first"], example["second"])


def encode(examples: Examples, coding: Coding) -> Encoded:
    """One item an example; the longer side is cut first. Adds `label`."""
    first = tokenize([example["first"] for example in examples], coding.tokenizer)
    second = tokenize([example["second"] for example in examples], coding.tokenizer)
    marks = specials(coding.tokenizer)
    kept = longest_first(first.lengths, second.lengths, coding.max_length - marks.of_pair)
    sequences = pair(first.head(kept[0]), second.head(kept[1]), marks)
    return columns(sequences) | {"label": np.asarray([example["label"] for example in examples], np.int32)}


def targets(columns: Columns, rows: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """`label` [items]."""
    return {"label": np.asarray(columns["label"])[rows].astype(np.int64)}


def sizes(columns: Columns) -> NDArray[np.int64]:
    """One row of class scores an item."""
    return np.ones(len(columns["example"]), np.int64)


def decode(outputs: NDArray[np.float32], encoded: Coded) -> Decoded:  # noqa: ARG001
    """The likeliest label. `outputs`: [items, labels]."""
    shifted = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    best = outputs.argmax(axis=1)
    share = shifted[np.arange(len(best)), best] / shifted.sum(axis=1)
    return Decoded(values=best.tolist(), scores=share.astype(np.float32))


def missing_labels(seen: set[str], names: Sequence[str]) -> Iterator[str]:
    """Classes that do not occur."""
    missing = [name for number, name in enumerate(names) if str(number) not in seen]
    if missing:
        yield f"no example is labelled {', '.join(missing)}"


def mistranslated(example: Example, origin: Example, labels: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Another label."""
    new, old = (label_name(one["label"], labels) for one in (example, origin))
    if new != old:
        yield "label", f"labelled {new}, in English {old}"


TYPE = TaskType(
    schema=SCHEMA,
    texts=texts,
    encode=encode,
    targets=targets,
    sizes=sizes,
    head="classify",
    decode=decode,
    is_labelled=True,
    gold=lambda example, labels: label_name(example["label"], labels),
    as_text=label_name,
    from_text=label_index,
    labels_of=lambda example: iter([str(example["label"])]),
    missing_labels=missing_labels,
    mistranslated=mistranslated,
)
