"""A prompt and several continuations, one of them right. Example: {id, prompt, choices, label}."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stilts.tasks.coding.pieces import specials, tokenize
from stilts.tasks.coding.ragged import Ragged, padded
from stilts.tasks.coding.sequences import columns, pair
from stilts.tasks.types import Coded, Coding, Columns, Decoded, Encoded, Example, Examples, TaskType
from stilts.tasks.types.classify import decode as decode_classes

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


def encode(examples: Examples, coding: Coding) -> Encoded:
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


def targets(columns: Columns, rows: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """`label` [items], and `counts`, the number of sequences of each [items]."""
    return {"label": np.asarray(columns["label"])[rows].astype(np.int64), "counts": sizes(columns)[rows]}


def sizes(columns: Columns) -> NDArray[np.int64]:
    """One number a sequence."""
    lengths = columns["lengths"]
    assert isinstance(lengths, Ragged)
    return lengths.lengths


def decode(outputs: NDArray[np.float32], encoded: Coded) -> Decoded:
    """The likeliest choice. `outputs`: [sequences]."""
    table = padded(outputs.reshape(-1), sizes(encoded.columns), fill=-np.inf)
    return decode_classes(table, encoded)


def missing_labels(seen: set[str], names: Sequence[str]) -> Iterator[str]:  # noqa: ARG001
    """One place only."""
    if len(seen) < 2:
        yield "the right answer always stands at the same place"


def mistranslated(
    example: Example,
    origin: Example,
    labels: Sequence[str],  # noqa: ARG001
) -> Iterator[tuple[str, str]]:
    """Another number of choices, or another one of them right."""
    if len(example["choices"]) != len(origin["choices"]):
        yield "choices", f"{len(example['choices'])} choices, in English {len(origin['choices'])}"
    if example["label"] != origin["label"]:
        yield "label", f"labelled {example['label']}, in English {origin['label']}"


TYPE = TaskType(
    schema=SCHEMA,
    texts=texts,
    encode=encode,
    targets=targets,
    sizes=sizes,
    head="choice",
    decode=decode,
    from_text=lambda text, _: int(text),
    labels_of=lambda example: iter([str(example["label"])]),
    missing_labels=missing_labels,
    mistranslated=mistranslated,
)
