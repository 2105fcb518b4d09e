"""A sentence and one tag a word. Example: {id, tokens, tags}."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stilts.tasks.coding.pieces import specials, tokenize_distinct
from stilts.tasks.coding.ragged import Ragged, bounds, interleave, sums
from stilts.tasks.coding.sequences import columns, single
from stilts.tasks.types import IGNORED, Coded, Coding, Columns, Decoded, Encoded, Examples, TaskType

SCHEMA = pa.schema([("id", pa.string()), ("tokens", pa.list_(pa.string())), ("tags", pa.list_(pa.string()))])


def texts(example: Mapping[str, Any]) -> Iterator[str]:
    """Each word by itself, as it is tokenised."""
    yield from example["tokens"]


def encode(examples: Examples, coding: Coding) -> Encoded:
    """One item a sentence, or several for one that is too long: no word is left out.

    Adds `positions`, the first piece of each word within the item, and `tags`, by index into the labels. A
    word that vanishes in tokenisation stands as `<unk>`; a single word longer than a sequence loses its end;
    a tag that is none of the labels becomes `IGNORED`.
    """
    marks = specials(coding.tokenizer)
    room = coding.max_length - marks.of_single
    words = tokenize_distinct([word for example in examples for word in example["tokens"]], coding.tokenizer)
    words = words.head(np.minimum(words.lengths, room))
    missing = Ragged.repeated([marks.unknown], len(words)).head((words.lengths == 0).astype(np.int64))
    words = interleave([words, missing])

    ends, owners = _split([len(example["tokens"]) for example in examples], words.lengths, room)
    pieces = Ragged(words.values, words.offsets[ends])
    first_piece = words.offsets[:-1] - np.repeat(pieces.offsets[:-1], np.diff(ends)) + len(marks.start)
    index = {label: number for number, label in enumerate(coding.labels)}
    tags = [index.get(tag, IGNORED) for example in examples for tag in example["tags"]]
    return columns(single(pieces, marks), example=owners) | {
        "positions": Ragged(first_piece.astype(np.int32), ends),
        "tags": Ragged(np.asarray(tags, np.int32), ends),
    }


def _split(
    num_words: Sequence[int], lengths: NDArray[np.int64], room: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cuts sentences into items of at most `room` pieces.

    Returns:
        Word offsets of the items, and the sentence of each item.
    """
    sentences = bounds(num_words)
    assert np.all(np.diff(sentences) > 0), "readers drop sentences without words"
    cuts = [sentences]
    for number in np.flatnonzero(sums(lengths, sentences) > room):
        first = sentences[number]
        total = np.cumsum(lengths[first : sentences[number + 1]])
        done, inner = 0, []
        while total[-1] - done > room:
            fits = int(np.searchsorted(total, done + room, side="right"))
            inner.append(first + fits)
            done = int(total[fits - 1])
        cuts.append(np.asarray(inner, np.int64))
    offsets = np.unique(np.concatenate(cuts))
    return offsets, np.searchsorted(sentences, offsets[:-1], side="right") - 1


def targets(columns: Columns, rows: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """`positions`, rows of the batch's tokens [words], and `tags` [words]."""
    positions, tags = columns["positions"], columns["tags"]
    assert isinstance(positions, Ragged)
    assert isinstance(tags, Ragged)
    taken = positions.take(rows)
    starts = bounds(np.asarray(columns["num_tokens"])[rows])[:-1]
    return {
        "positions": taken.values.astype(np.int64) + np.repeat(starts, taken.lengths),
        "tags": tags.take(rows).values.astype(np.int64),
    }


def sizes(columns: Columns) -> NDArray[np.int64]:
    """One row of tag scores a word."""
    positions = columns["positions"]
    assert isinstance(positions, Ragged)
    return positions.lengths


def decode(outputs: NDArray[np.float32], encoded: Coded) -> Decoded:
    """Tag names by sentence, the parts of a long one joined again. `outputs`: [words, labels]."""
    num_words = np.bincount(np.asarray(encoded.columns["example"]), weights=sizes(encoded.columns)).astype(
        np.int64
    )
    offsets = bounds(num_words)
    best = outputs.argmax(axis=1)
    share = 1 / np.exp(outputs - outputs.max(axis=1, keepdims=True)).sum(axis=1)
    names = np.asarray(encoded.labels, object)[best].tolist()
    values = [names[first:last] for first, last in pairwise(offsets)]
    scores = np.add.reduceat(share, offsets[:-1]) / num_words
    return Decoded(values=values, scores=scores.astype(np.float32))


def missing_labels(seen: set[str], names: Sequence[str]) -> Iterator[str]:
    """Most tags do not occur."""
    if 2 * len(seen) < len(names):
        yield f"only {len(seen)} of {len(names)} tags occur: {', '.join(sorted(seen))}"


TYPE = TaskType(
    schema=SCHEMA,
    texts=texts,
    encode=encode,
    targets=targets,
    sizes=sizes,
    head="tag",
    decode=decode,
    is_labelled=True,
    gold=lambda example, _: " ".join(example["tags"]),
    as_text=lambda tags, _: " ".join(tags),
    from_text=lambda text, _: text.split(" "),
    labels_of=lambda example: iter(example["tags"]),
    missing_labels=missing_labels,
    is_split=True,
    # Lists of names in Wikipedia, which named entities are cut from, are often in Latin letters.
    looks_foreign=0.5,
    other_script=0.3,
)
