"""A prompt and several continuations, one of them right. Example: {id, prompt, choices, label}."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stilts.tasks.types import Coded, Coding, Columns, Decoded, Examples
from stilts.tasks.types.classify import decode as decode_classes
from stilts.tasks.types.pieces import specials, tokenize
from stilts.tasks.types.ragged import Ragged, padded
from stilts.tasks.types.sequences import columns, pair

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("prompt", pa.string()),
        ("choices", pa.list_(pa.string())),
        ("label", pa.int32()),
    ]
)


def texts(example: Mapping[str, Any]) -> Iterator[str]:
    """The prompt and every choice."""
    yield example["prompt"]
    yield from example["choices"]


def encode(examples: Examples, coding: Coding) -> Columns:
    """One item an example, one sequence a choice; a long one loses the start of its prompt. Adds `label`."""
    per_item = np.asarray([len(example["choices"]) for example in examples], np.int64)
    prompts = tokenize([example["prompt"] for example in examples], coding.tokenizer)
    choices = tokenize([choice for example in examples for choice in example["choices"]], coding.tokenizer)
    marks = specials(coding.tokenizer)
    room = coding.max_length - marks.of_pair
    kept_choices = np.minimum(choices.lengths, room)
    prompts = prompts.take(np.repeat(np.arange(len(examples)), per_item))
    kept_prompts = np.minimum(prompts.lengths, room - kept_choices)
    sequences = pair(prompts.tail(kept_prompts), choices.head(kept_choices), marks)
    label = np.asarray([example["label"] for example in examples], np.int32)
    return columns(sequences, per_item=per_item) | {"label": label}


def targets(
    columns: Mapping[str, Ragged | NDArray[np.int32]], rows: NDArray[np.int64]
) -> dict[str, NDArray[np.int64]]:
    """`label` [items], and `counts`, the number of sequences of each [items]."""
    return {"label": np.asarray(columns["label"])[rows].astype(np.int64), "counts": sizes(columns)[rows]}


def sizes(columns: Mapping[str, Ragged | NDArray[np.int32]]) -> NDArray[np.int64]:
    """One number a sequence."""
    lengths = columns["lengths"]
    assert isinstance(lengths, Ragged)
    return lengths.lengths


def decode(outputs: NDArray[np.float32], encoded: Coded) -> Decoded:
    """The likeliest choice. `outputs`: [sequences]."""
    table = padded(outputs.reshape(-1), sizes(encoded.columns), fill=-np.inf)
    return decode_classes(table, encoded)
