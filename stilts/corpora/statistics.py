"""What sets look like to a tokenizer: words, subwords, lengths of sequences, windows, and what is cut."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stilts.corpora.language_id import UNSPACED
from stilts.corpora.required import RequiredSet
from stilts.data.reading import read
from stilts.tasks import Example, types as task_types
from stilts.tasks.coding.pieces import tokenize_distinct
from stilts.tasks.coding.ragged import Ragged
from stilts.tasks.types import Coding, Columns

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_STEP = 1000
"""Examples tokenised at a time."""
_BOUNDLESS = 1 << 20
"""A length that nothing is cut at."""


@dataclass(frozen=True, kw_only=True)
class Statistic:
    """A set of a task in one language, counted."""

    task: str
    kind: str
    language: str
    split: str
    max_length: int
    examples: int
    """Of pairs of sentences for retrieval, the foreign ones; all below is of them, too."""
    words: int
    """Words, or characters where the script does not tell words apart; tagged sentences bring their words."""
    unit: str
    """`word` or `character`."""
    subwords: int
    """Of the same texts, without special tokens."""
    cut: int
    """Examples longer than a sequence: they lose their end (classify, retrieve) or start (choice), or become
    several sequences (tag, span)."""
    items: int
    """What is answered at once: an example, a window of a passage, a part of a long sentence."""
    counts: NDArray[np.int64]
    """Number of sequences by length in tokens, special ones included; index 0 is length 0."""

    @property
    def fertility(self) -> float:
        """Subwords a word, or a character."""
        return self.subwords / self.words if self.words else float("nan")

    @property
    def share_cut(self) -> float:
        """Share of the examples that are longer than a sequence."""
        return self.cut / self.examples

    @property
    def windows(self) -> float | None:
        """Windows an example is read in; None where a window is not what an item is."""
        return self.items / self.examples if task_types.load(self.kind).has_windows else None

    @cached_property
    def mean(self) -> float:
        """Mean length of a sequence."""
        return float(np.arange(len(self.counts)) @ self.counts / self.counts.sum())

    def quantile(self, share: float) -> int:
        """Shortest length that so many of the sequences do not exceed."""
        return quantile(self.counts, share)

    def as_row(self) -> dict[str, Any]:
        """Plain values, for other programs."""
        return {
            "task": self.task, "language": self.language, "split": self.split,
            "examples": self.examples, "words": self.words, "unit": self.unit, "subwords": self.subwords,
            "fertility": round(self.fertility, 4), "max_length": self.max_length,
            "share_cut": round(self.share_cut, 6), "items": self.items,
            "windows": None if self.windows is None else round(self.windows, 4),
            "sequences": int(self.counts.sum()), "mean": round(self.mean, 3),
            "p50": self.quantile(0.5), "p95": self.quantile(0.95), "max": self.quantile(1.0),
        }  # fmt: skip


def quantile(counts: NDArray[np.int64], share: float) -> int:
    """Shortest length at which the share of sequences is reached."""
    total = np.cumsum(counts)
    return int(np.searchsorted(total, share * total[-1] - 1e-9))


def count(
    need: RequiredSet,
    *,
    tokenizer: "Tokenizer",
    sources: Sequence[str],
    limit: int | None = None,
    seed: int = 0,
    tell: Callable[[int], None] = lambda _: None,
) -> Statistic:
    """Reads and tokenises a set.

    Args:
        need: the set.
        tokenizer: an XLM-R tokenizer.
        sources: where to look, in this order.
        limit: rows read at most.
        seed: of the data, where a source draws them.
        tell: told the number of examples so far now and then.

    Raises:
        UserError: the set is missing or cannot be read.
    """
    task, kind = need.task, task_types.load(need.task.type)
    # A split that reads the set: for a single evaluation set there are two of the same.
    split = next(name for name, actual in task.splits.items() if actual == need.split)
    examples = read(task, language=need.language, split=split, sources=sources, limit=limit, seed=seed)
    labels = task.labels or ()
    fitting = Coding(tokenizer=tokenizer, max_length=task.max_length, labels=labels)
    boundless = Coding(tokenizer=tokenizer, max_length=_BOUNDLESS, labels=labels)
    unit = "character" if need.language in UNSPACED and not kind.is_split else "word"
    num_examples = words = subwords = cut = items = 0
    counts = np.zeros(task.max_length + 1, np.int64)
    for some in _groups(_in_language(kind.sides, examples)):
        texts = [text for example in some for text in kind.texts(example)]
        words += sum(
            len("".join(text.split())) if unit == "character" else len(text.split()) for text in texts
        )
        subwords += int(tokenize_distinct(texts, tokenizer).lengths.sum())
        columns = kind.encode(some, fitting)
        cut += int(np.count_nonzero(_tokens(columns, some) != _tokens(kind.encode(some, boundless), some)))
        items += len(columns["example"])
        counts += np.bincount(_lengths(columns), minlength=task.max_length + 1)
        num_examples += len(some)
        tell(num_examples)
    return Statistic(
        task=task.name,
        kind=task.type,
        language=need.language,
        split=need.split,
        max_length=task.max_length,
        examples=num_examples,
        words=words,
        unit=unit,
        subwords=subwords,
        cut=cut,
        items=items,
        counts=counts,
    )


def tokenizer_of(folder: Path) -> "Tokenizer":
    """The tokenizer of a pretrained model's folder, or of a `tokenizer.json` itself."""
    from stilts.model.checkpoint import read_tokenizer
    from stilts.tasks.coding.pieces import open_tokenizer, parse_tokenizer

    if folder.is_dir():
        return parse_tokenizer(read_tokenizer(folder).encode(), where=folder)
    return open_tokenizer(folder)


def _in_language(sides: Sequence[str], examples: Iterator[Example]) -> Iterator[Example]:
    """Examples without what is in another language: the English side of pairs of sentences."""
    for example in examples:
        if not sides:
            yield example
        elif example[sides[1]]:
            yield example | {sides[0]: ""}


def _tokens(columns: Columns, examples: Sequence[Example]) -> NDArray[np.int64]:
    """Tokens by example, over all its sequences."""
    totals = np.zeros(len(examples), np.int64)
    np.add.at(totals, np.asarray(columns["example"]), np.asarray(columns["num_tokens"]))
    return totals


def _lengths(columns: Columns) -> NDArray[np.int32]:
    lengths = columns["lengths"]
    assert isinstance(lengths, Ragged)
    return lengths.values


def _groups(examples: Iterator[Example]) -> Iterator[list[Example]]:
    while some := list(islice(examples, _STEP)):
        yield some
