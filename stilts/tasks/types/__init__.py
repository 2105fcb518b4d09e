"""Kinds of task: from examples to token columns, and from a model's numbers to predictions. No torch.

`load(name)` gives the module of a kind. Each has

    SCHEMA                      Arrow schema of its examples
    texts(example)              all that will be tokenised
    encode(examples, coding)    columns of tokens, one row an item
    targets(columns, rows)      what a model should say about those items, in the order of the rows
    sizes(columns)              how many rows of outputs an item has: one an item, sequence, word or token
    decode(outputs, encoded)    one prediction an example, from all outputs in the order of the items

An item is what stays together in a batch: an example, a window of a passage, a question with all its choices,
a part of a long sentence. Columns that every kind has: `input_ids` (the item's sequences end to end),
`lengths` (of its sequences), `num_tokens`, `example` (the example it belongs to).
"""

import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from hpc.errors import unknown_name
from stilts.tasks.types.ragged import Ragged

if TYPE_CHECKING:
    import pyarrow as pa
    from tokenizers import Tokenizer

Columns = dict[str, Ragged | NDArray[np.int32]]
Examples = Sequence[Mapping[str, Any]]

IGNORED = -100
"""Target of a word whose tag has no index; losses skip it."""

KINDS = ("choice", "classify", "mlm", "retrieve", "span", "tag")


@dataclass(frozen=True, kw_only=True, slots=True)
class Coding:
    """How examples become tokens."""

    tokenizer: "Tokenizer"
    max_length: int
    """Tokens of a sequence at most, special ones included."""
    labels: Sequence[str] = ()


class Coded(Protocol):
    """Encoded examples, as `stilts.data.load` gives them."""

    @property
    def columns(self) -> Mapping[str, Ragged | NDArray[np.int32]]:
        """Tokens, one row an item."""

    @property
    def examples(self) -> Any:
        """The examples by column name: a `datasets.Dataset`, or a dict of lists."""

    @property
    def labels(self) -> Sequence[str]:
        """Names of the labels by index."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decoded:
    """Predictions in the order of the examples."""

    values: list[Any]
    """Index (classify, choice), list of tag names (tag) or text (span)."""
    scores: NDArray[np.float32]
    """Probability of the value, mean over words for tags; for spans the lead over "no answer"."""


class Kind(Protocol):
    """What the module of a kind offers."""

    SCHEMA: "pa.Schema"

    def texts(self, example: Mapping[str, Any]) -> Iterator[str]:
        """All strings of an example that `encode` tokenises."""

    def encode(self, examples: Examples, coding: Coding) -> Columns:
        """Token columns, one row an item."""

    def targets(
        self, columns: Mapping[str, Ragged | NDArray[np.int32]], rows: NDArray[np.int64]
    ) -> dict[str, NDArray[np.int64]]:
        """Targets of a batch of those items."""

    def sizes(self, columns: Mapping[str, Ragged | NDArray[np.int32]]) -> NDArray[np.int64]:
        """How many rows of outputs belong to each item."""

    def decode(self, outputs: NDArray[np.float32], encoded: Coded) -> Decoded:
        """One prediction an example."""


def load(name: str) -> Kind:
    """The kind of that name.

    Raises:
        UserError: there is no such kind.
    """
    if name not in KINDS:
        raise unknown_name("kind of task", name, KINDS)
    return cast("Kind", importlib.import_module(f"{__name__}.{name}"))
