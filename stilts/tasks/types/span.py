"""A question whose answer is a span of a passage. Example: {id, cluster, question, context, answers}.

The passage is read in overlapping windows, each an item of its own: a pair of the question and a part. Every
token carries the characters it covers: an answer is always an exact substring of the passage, in any script.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stilts.tasks.coding.pieces import numbers_of, specials, tokenize_distinct
from stilts.tasks.coding.ragged import Ragged, bounds, interleave
from stilts.tasks.coding.sequences import columns, pair
from stilts.tasks.types import Coding, Columns, Encoded, Example, Examples, TaskType
from stilts.tasks.types._spans import STRIDE, decode, decode_as_published

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("cluster", pa.string()),
        ("question", pa.string()),
        ("context", pa.string()),
        ("answers", pa.list_(pa.struct([("text", pa.string()), ("start", pa.int32())]))),
    ]
)
LONGEST_QUESTION = 64


def texts(example: Mapping[str, Any]) -> Iterator[str]:
    """Question and passage."""
    yield from (example["question"], example["context"])


@dataclass(frozen=True, kw_only=True, slots=True)
class _Passages:
    """Distinct passages, tokenised: pieces and the characters each covers."""

    pieces: Ragged
    begins: Ragged
    ends: Ragged


def encode(examples: Examples, coding: Coding) -> Encoded:
    """One item a window.

    Adds `start` and `end`, tokens of the first answer within the item, both 0 when the window does not hold
    all of it; and `offsets`, two numbers a token: its characters in the passage, -1 outside of the passage.
    """
    number_of = {text: n for n, text in enumerate(dict.fromkeys(example["context"] for example in examples))}
    passage = np.asarray([number_of[example["context"]] for example in examples], np.int64)
    passages = _tokenize_passages(list(number_of), coding.tokenizer)
    questions = tokenize_distinct([example["question"] for example in examples], coding.tokenizer)
    marks = specials(coding.tokenizer)
    longest = min(LONGEST_QUESTION, (coding.max_length - marks.of_pair) // 2)
    questions = questions.head(np.minimum(questions.lengths, longest))

    room = coding.max_length - marks.of_pair - questions.lengths
    owner, begin, length = _windows(passages.pieces.lengths[passage], room)
    rows = passage[owner]
    asked = questions.take(owner)
    sequences = pair(asked, passages.pieces.slice(begin, length, rows), marks)
    shift = asked.lengths + len(marks.start) + len(marks.between)
    begins, ends = passages.begins.slice(begin, length, rows), passages.ends.slice(begin, length, rows)
    first, last = _answers(examples, passages, passage)
    inside = (first[owner] >= begin) & (last[owner] < begin + length) & (first <= last)[owner]
    return columns(sequences, example=owner) | {
        "start": np.where(inside, first[owner] - begin + shift, 0).astype(np.int32),
        "end": np.where(inside, last[owner] - begin + shift, 0).astype(np.int32),
        "offsets": _interleaved_offsets(begins, ends, shift, after=len(marks.end)),
    }


def reachable(examples: Examples, coding: Coding) -> list[str | None]:
    """What each example's first answer comes back as from the pieces and windows it is trained on.

    That is the answer itself, or a longer text where one of its ends falls inside a piece. None: the example
    has no answer, or no window holds all of it. `decode` gives those of at most `LONGEST_ANSWER` pieces.
    """
    columns = encode(examples, coding)
    offsets = columns["offsets"]
    assert isinstance(offsets, Ragged)
    characters = offsets.values.reshape(-1, 2)
    firsts = bounds(sizes(columns))[:-1]
    found: list[str | None] = [None] * len(examples)
    for window in np.flatnonzero(np.asarray(columns["start"]) > 0).tolist():
        number = int(np.asarray(columns["example"])[window])
        begin = characters[firsts[window] + np.asarray(columns["start"])[window], 0]
        end = characters[firsts[window] + np.asarray(columns["end"])[window], 1]
        found[number] = examples[number]["context"][begin:end]
    return found


def _windows(
    lengths: NDArray[np.int64], room: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Example, first token and length of each window; the step shrinks where `STRIDE` would leave gaps."""
    step = np.minimum(STRIDE, np.maximum(room // 2, 1))
    count = 1 + np.maximum(0, -(-(lengths - room) // step))
    owner = np.repeat(np.arange(len(lengths)), count)
    begin = (np.arange(len(owner)) - np.repeat(bounds(count)[:-1], count)) * step[owner]
    return owner, begin, np.minimum(room[owner], lengths[owner] - begin)


def _tokenize_passages(contexts: Sequence[str], tokenizer: Any) -> _Passages:
    """Pieces with exact characters: no white space before, a letter's marks behind, none for a lone mark.

    The tokenizer composes a letter and its combining marks (NFKC) and then gives the letter's character only.
    """
    found = tokenizer.encode_batch(list(contexts), add_special_tokens=False)
    mark = specials(tokenizer).mark
    begins, ends = [], []
    for context, encoding in zip(contexts, found, strict=True):
        spans = np.asarray(encoding.offsets, np.int64).reshape(-1, 2)
        begin = _next_visible(context)[spans[:, 0]]
        end = np.maximum(spans[:, 1], begin)
        following = np.append(begin[1:], len(context))
        end = np.minimum(_behind_marks(context)[end], np.maximum(end, following))
        begins.append(begin)
        # The tokenizer gives a lone mark the first character of the piece behind it, or the space before it.
        ends.append(np.where(np.asarray(encoding.ids) == mark, begin, end))
    pieces = numbers_of(found, tokenizer)
    return _Passages(
        pieces=pieces,
        begins=Ragged(_flat(begins), pieces.offsets),
        ends=Ragged(_flat(ends), pieces.offsets),
    )


def _flat(parts: list[NDArray[np.int64]]) -> NDArray[np.int32]:
    return np.concatenate(parts).astype(np.int32) if parts else np.zeros(0, np.int32)


def _next_visible(text: str) -> NDArray[np.int64]:
    """For each character, and the end, the position of the first one from there on that is no white space."""
    return _next_without(text, [place for place, letter in enumerate(text) if letter.isspace()])


def _behind_marks(text: str) -> NDArray[np.int64]:
    """As `_next_visible`, of the first one that is no combining mark."""
    marks = (place for place, letter in enumerate(text) if unicodedata.category(letter).startswith("M"))
    return _next_without(text, [] if text.isascii() else list(marks))


def _next_without(text: str, passed_over: list[int]) -> NDArray[np.int64]:
    following = np.arange(len(text) + 1)
    following[passed_over] = len(text)
    return np.minimum.accumulate(following[::-1])[::-1]


def _answers(
    examples: Examples, passages: _Passages, passage: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last token of each example's first answer in its passage; first > last when there is none."""
    first, last = np.ones(len(examples), np.int64), np.zeros(len(examples), np.int64)
    begins, ends = passages.begins.rows(), passages.ends.rows()
    for number, example in enumerate(examples):
        answer = example["answers"][0] if example["answers"] else None
        if answer is None or answer["start"] < 0 or not answer["text"]:
            continue
        stop = answer["start"] + len(answer["text"])
        first[number] = np.searchsorted(ends[passage[number]], answer["start"], side="right")
        last[number] = np.searchsorted(begins[passage[number]], stop, side="left") - 1
    return first, last


def _interleaved_offsets(begins: Ragged, ends: Ragged, shift: NDArray[np.int64], *, after: int) -> Ragged:
    both = Ragged(np.stack([begins.values, ends.values], axis=1).ravel(), begins.offsets * 2)
    outside = Ragged.repeated([-1], int(2 * shift.sum()))
    before = Ragged(outside.values, bounds(2 * shift))
    return interleave([before, both, Ragged.repeated([-1, -1] * after, len(begins))])


def targets(columns: Columns, rows: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """`start` and `end`, tokens within their items [items]."""
    return {name: np.asarray(columns[name])[rows].astype(np.int64) for name in ("start", "end")}


def sizes(columns: Columns) -> NDArray[np.int64]:
    """A start and an end score a token."""
    return np.asarray(columns["num_tokens"], np.int64)


def flaws(example: Example) -> Iterator[tuple[str, str]]:
    """No answer, or one that is not where it should be."""
    if not example["answers"]:
        yield "unanswered", "the question has no answer"
    if any(answer["start"] < 0 for answer in example["answers"]):
        yield "misplaced", "the answer is not in its passage"


def mistranslated(
    example: Example,
    origin: Example,
    labels: Sequence[str],  # noqa: ARG001
) -> Iterator[tuple[str, str]]:
    """An answer more or less, or one that is not in its passage any more."""
    if bool(example["answers"]) != bool(origin["answers"]):
        yield "answer", f"{'an answer' if example['answers'] else 'no answer'}, unlike the English row"
    yield from (flaw for flaw in flaws(example) if flaw[0] == "misplaced")


TYPE = TaskType(
    schema=SCHEMA,
    texts=texts,
    encode=encode,
    targets=targets,
    sizes=sizes,
    head="span",
    decode=decode,
    decoders={"xtreme": decode_as_published},
    keeps_confidence=True,
    has_windows=True,
    gold=lambda example, _: " | ".join(answer["text"] for answer in example["answers"]),
    labels_of=lambda example: (answer["text"] for answer in example["answers"]),
    flaws=flaws,
    mistranslated=mistranslated,
)
