"""Types of task, one file each, complete: all that depends on a type of task is in its file. No torch.

`load(name)` gives the `TYPE` of a file here: what its examples look like, how they become tokens and what a
model should say about them, how a model's numbers become predictions, how gold and predictions are stored as
text and read again, and what a plausible example is. Files that begin with an underscore hold what several
types share.

An item is what stays together in a batch: an example, a window of a passage, a question with all its choices,
a part of a long sentence. Columns that every type has: `input_ids` (the item's sequences end to end),
`lengths` (of its sequences), `num_tokens`, `example` (the example it belongs to).
"""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from hpc.errors import unknown_name
from hpc.files import listing
from stilts.tasks.coding.ragged import Ragged
from stilts.tasks.types._rows import (
    Answers,
    Given,
    answers_by_example,
    by_id,
    label_index,
    label_name,
    rows_by_example,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from tokenizers import Tokenizer

__all__ = [
    "IGNORED",
    "Answers",
    "Coded",
    "Coding",
    "Columns",
    "Decoded",
    "Encoded",
    "Examples",
    "Given",
    "Head",
    "TaskType",
    "by_id",
    "label_index",
    "label_name",
    "load",
    "names",
]

Columns = Mapping[str, Ragged | NDArray[np.int32]]
"""Token columns, one row an item."""
Encoded = dict[str, Ragged | NDArray[np.int32]]
Example = Mapping[str, Any]
Examples = Sequence[Example]

Head = Literal["classify", "choice", "tag", "span", "mlm"]
"""What heads of a model answer: a class or a number for a sequence, a class for a token, two numbers for each
token, a piece of the vocabulary for a token."""

IGNORED = -100
"""Target of a word whose tag has no index; losses skip it."""


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
    def columns(self) -> Columns:
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


def _nothing(*_: Any) -> Iterator[Any]:
    return iter(())


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskType:
    """All that depends on a type of task."""

    schema: "pa.Schema"
    """Of its examples, in Arrow."""
    texts: Callable[[Example], Iterator[str]]
    """All strings of an example that `encode` tokenises."""
    encode: Callable[[Examples, Coding], Encoded]
    """Token columns, one row an item."""
    targets: Callable[[Columns, NDArray[np.int64]], dict[str, NDArray[np.int64]]]
    """What a model should say about some items, in the order of the rows."""
    sizes: Callable[[Columns], NDArray[np.int64]]
    """How many rows of outputs an item has: one an item, sequence, word or token."""
    head: Head | None
    """The sort of head in `stilts.model.heads` that answers; None where vectors are compared instead."""
    decode: Callable[[NDArray[np.float32], Coded], Decoded] | None = None
    """One prediction an example, from all outputs in the order of the items; None where there is none."""
    decoders: Mapping[str, Callable[[NDArray[np.float32], Coded], Decoded]] = field(default_factory=dict)
    """As `decode`, by the rules of others, by whose."""
    is_labelled: bool = False
    """Whether outputs of the head are the task's labels, by index."""

    # Gold and predictions as stored text, and back again.
    gold: Callable[[Example, Sequence[str]], str] = lambda example, _: str(example["label"])
    """What is right for an example, given the labels."""
    as_text: Callable[[Any, Sequence[str]], str] = lambda value, _: str(value)
    """A prediction, given the labels."""
    from_text: Callable[[str, Sequence[str]], Any] = lambda text, _: text
    """A prediction as its metric takes it; raises ValueError where the text is none."""
    keeps_confidence: bool = False
    """Whether scoring again needs what stands in `Decoded.scores`."""
    rows: Callable[["TaskType", Given], list[dict[str, Any]]] = rows_by_example
    """Stored rows of all predictions."""
    answers: Callable[..., Answers] = answers_by_example
    """Stored rows as predictions again; see `answers_by_example`."""

    # What a plausible set is.
    labels_of: Callable[[Example], Iterator[str]] | None = None
    """What an example is labelled with, by which a set without labels shows; None where it does not."""
    missing_labels: Callable[[set[str], Sequence[str]], Iterator[str]] = _nothing
    """What is odd about the labels that were seen among many examples, given all names, one line each."""
    flaws: Callable[[Example], Iterator[tuple[str, str]]] = _nothing
    """What is wrong with an example, as a name and a line."""
    mistranslated: Callable[[Example, Example, Sequence[str]], Iterator[tuple[str, str]]] = _nothing
    """What a translation (the first) changed of its English example, given the labels: a name and a line."""
    sides: tuple[str, ...] = ()
    """Columns of an example in two languages, the English one first; either may be empty."""
    has_windows: bool = False
    """Whether a long text is read in windows, each an item."""
    is_split: bool = False
    """Whether texts are words already, in every script."""
    looks_foreign: float = 0.1
    """Share of texts of published sets that look like another language."""
    other_script: float = 0.0
    """Share of letters of published sets that may be in another script, beyond what running text has."""

    def num_scored(self, examples: Mapping[str, Sequence[Any]]) -> int:
        """How many of the examples, by column, are scored: of a pool its pairs, else all."""
        if not self.sides:
            return len(examples["id"])
        return sum(map(all, zip(*(examples[side] for side in self.sides), strict=True)))


def names() -> list[str]:
    """All types, by their file names."""
    return [path.stem for path in listing(Path(__file__).parent, "[!_]*.py")]


def load(name: str) -> TaskType:
    """The type of that name.

    Raises:
        UserError: there is no such type; the nearest names are given.
    """
    if name not in names():
        raise unknown_name("type of task", name, names())
    found: TaskType = importlib.import_module(f"{__name__}.{name}").TYPE
    return found
