"""Text with masked tokens to predict. Example: {id, text}; an item is a block of pieces of a text.

Which tokens are masked is drawn anew at every step from (seed, step, item) alone, so that an interrupted run
goes on exactly, however many ranks share a batch.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hpc.errors import UserError
from stilts.tasks.coding.pieces import specials, tokenize
from stilts.tasks.coding.ragged import Integers, Ragged, bounds
from stilts.tasks.coding.sequences import columns, single
from stilts.tasks.types import Coding, Columns, Encoded, Examples, TaskType

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SCHEMA = pa.schema([("id", pa.string()), ("text", pa.string())])

_REPLACED, _KEPT = 0.8, 0.9
"""Of the tokens to predict, those below the first become `<mask>`, those from the second on stay."""


def texts(example: Mapping[str, Any]) -> Iterator[str]:
    """The whole text, which is tokenised at once."""
    yield example["text"]


def encode(examples: Examples, coding: Coding) -> Encoded:
    """One item a block of pieces: as many as fit into a sequence, the last one of a text what is left."""
    marks = specials(coding.tokenizer)
    room = coding.max_length - marks.of_single
    pieces = tokenize([example["text"] for example in examples], coding.tokenizer)
    counts = -(-pieces.lengths // room)
    cuts = np.concatenate(
        [start + np.arange(count) * room for start, count in zip(pieces.offsets, counts, strict=False)]
        or [np.empty(0, np.int64)]
    ).astype(np.int64)
    blocks = Ragged(pieces.values, np.append(cuts, pieces.offsets[-1]))
    owners = np.repeat(np.arange(len(pieces), dtype=np.int32), counts)
    return columns(single(blocks, marks), example=owners)


def targets(
    columns: Columns,  # noqa: ARG001
    rows: NDArray[np.int64],  # noqa: ARG001
) -> dict[str, NDArray[np.int64]]:
    """None yet: what is to be predicted is drawn at each step by `Masking`."""
    return {}


def sizes(columns: Columns) -> NDArray[np.int64]:
    """As many rows as tokens."""
    return np.asarray(columns["num_tokens"]).astype(np.int64)


@dataclass(frozen=True, kw_only=True, slots=True)
class Masked:
    """A batch with some of its tokens hidden."""

    input_ids: NDArray[np.int64]
    """[T]."""
    positions: NDArray[np.int64]
    """Rows of the tokens to predict [M]."""
    pieces: NDArray[np.int64]
    """What stood there [M]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Masking:
    """Hides a share of a sequence's tokens as RoBERTa does: 80 % `<mask>`, 10 % another piece, 10 % none.

    Special tokens are never hidden and never come in; at least one token of each sequence is to be predicted.
    """

    mask: int
    """Number of `<mask>`."""
    ordinary: NDArray[np.int64]
    """Numbers of all pieces that are no special tokens, in order."""
    before: int
    """Special tokens before the text of a sequence."""
    after: int
    """Those behind it."""
    share: float
    seed: int

    def apply(self, input_ids: Integers, lengths: Integers, rows: Integers, *, step: int) -> Masked:
        """Hides tokens of a batch.

        Args:
            input_ids: tokens [T] of sequences of one text each, end to end.
            lengths: tokens by sequence [S].
            rows: the item of each sequence [S]; with the step it decides what is hidden.
            step: of the optimizer.
        """
        hidden = np.array(input_ids, np.int64)
        places = []
        for start, length, row in zip(bounds(lengths)[:-1], lengths, rows, strict=True):
            random = np.random.default_rng([self.seed, step, int(row)])
            inner = int(length) - self.before - self.after
            count = max(1, int(self.share * inner + random.random()))
            chosen = start + self.before + np.sort(random.permutation(inner)[:count])
            fate = random.random(len(chosen))
            others = self.ordinary[random.integers(len(self.ordinary), size=len(chosen))]
            hidden[chosen] = np.where(
                fate < _REPLACED, self.mask, np.where(fate < _KEPT, others, hidden[chosen])
            )
            places.append(chosen)
        positions = np.concatenate(places)
        return Masked(
            input_ids=hidden, positions=positions, pieces=np.asarray(input_ids, np.int64)[positions]
        )


def masking(tokenizer: "Tokenizer", *, share: float, seed: int) -> Masking:
    """The masking of a tokenizer's vocabulary.

    Raises:
        UserError: it has no `<mask>`.
    """
    marks = specials(tokenizer)
    if marks.mask < 0:
        raise UserError("the tokenizer has no mask token; masked-language modelling needs one")
    ordinary = [number for number in range(tokenizer.get_vocab_size()) if number not in marks.numbers]
    return Masking(
        mask=marks.mask,
        ordinary=np.asarray(ordinary, np.int64),
        before=len(marks.start),
        after=len(marks.end),
        share=share,
        seed=seed,
    )


TYPE = TaskType(schema=SCHEMA, texts=texts, encode=encode, targets=targets, sizes=sizes, head="mlm")
