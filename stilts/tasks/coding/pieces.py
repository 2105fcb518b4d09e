"""Text to piece numbers, without special tokens; and the special tokens a tokenizer puts around it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hpc.errors import UserError
from hpc.files import is_there
from stilts.tasks.coding.ragged import Ragged

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

_NAMES = {
    "unknown": ("<unk>", "[UNK]"),
    "padding": ("<pad>", "[PAD]"),
    "mask": ("<mask>", "[MASK]"),
    "mark": ("\u2581",),
}
_PROBE = "a"


@dataclass(frozen=True, kw_only=True, slots=True)
class Specials:
    """Numbers of the special tokens; those of single tokens are -1 where the vocabulary lacks them."""

    start: tuple[int, ...]
    """What stands before the first text of a sequence: `<s>`, `[CLS]`."""
    between: tuple[int, ...]
    """What stands between two texts: `</s></s>`, `[SEP]`."""
    end: tuple[int, ...]
    """What closes a sequence."""
    unknown: int
    padding: int
    mask: int
    mark: int
    """The lone word mark of sentencepiece."""
    separator: int | None
    """The token behind which token type 1 begins; None where all tokens have the same type."""

    @property
    def of_single(self) -> int:
        """Special tokens of a sequence of one text."""
        return len(self.start) + len(self.end)

    @property
    def of_pair(self) -> int:
        """Special tokens of a sequence of two texts."""
        return self.of_single + len(self.between)

    @property
    def numbers(self) -> set[int]:
        """All of them but the word mark, which is an ordinary piece."""
        single = {self.unknown, self.padding, self.mask} - {-1}
        return single | {*self.start, *self.between, *self.end}


def open_tokenizer(path: Path) -> "Tokenizer":
    """Reads a `tokenizer.json`; truncation and padding it may carry are switched off.

    Raises:
        UserError: the file is missing or no tokenizer (code 3).
    """
    if not is_there(path):
        raise UserError(f"no tokenizer at {path}; prepare the model first", code=3)
    return parse_tokenizer(path.read_bytes(), where=path)


def parse_tokenizer(content: bytes, *, where: Path) -> "Tokenizer":
    """As `open_tokenizer`, of the content of a file."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_buffer(content)
    except Exception as error:  # tokenizers raises plain Exception for whatever its JSON reader finds
        raise UserError(f"{where} is no tokenizer: {error}", code=3) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    # A text that spells out `</s>` says just that; without this it would end a sequence in its middle.
    tokenizer.encode_special_tokens = True
    return tokenizer


@lru_cache(maxsize=2)
def specials(tokenizer: "Tokenizer") -> Specials:
    """The special tokens, read off what the tokenizer makes of one text and of two.

    Raises:
        UserError: it adds none, or arranges sequences or token types in a way that is not computed here.
    """
    alone, both = tokenizer.encode(_PROBE), tokenizer.encode(_PROBE, _PROBE)
    around, parts = _between_texts(alone, texts=1), _between_texts(both, texts=2)
    if around is None or parts is None or [parts[0], parts[2]] != around or not all(parts):
        raise UserError(
            "the tokenizer's sequences are not START text END and START text BETWEEN text END, as those of "
            "XLM-R and BERT: its post-processor is missing or of another type"
        )
    found = {
        role: next((number for name in names if (number := tokenizer.token_to_id(name)) is not None), -1)
        for role, names in _NAMES.items()
    }
    if found["unknown"] < 0:
        raise UserError(f"the tokenizer has no token for unknown text ({' or '.join(_NAMES['unknown'])})")
    start, between, end = parts
    return Specials(
        start=start, between=between, end=end, **found, separator=_separator(alone, both, between)
    )


def _between_texts(encoding: "Encoding", *, texts: int) -> list[tuple[int, ...]] | None:
    """The special tokens before, between and behind the texts; None where the texts are not found."""
    groups: list[list[int]] = [[]]
    was_text = False
    for number, is_special in zip(encoding.ids, encoding.special_tokens_mask, strict=True):
        if is_special:
            groups[-1].append(number)
        elif not was_text:
            groups.append([])
        was_text = not is_special
    return [tuple(group) for group in groups] if len(groups) == texts + 1 else None


def _separator(alone: "Encoding", both: "Encoding", between: tuple[int, ...]) -> int | None:
    if not any(both.type_ids) and not any(alone.type_ids):
        return None
    first = both.ids.index(between[-1])
    expected = [0] * (first + 1) + [1] * (len(both.ids) - first - 1)
    if len(between) != 1 or any(alone.type_ids) or both.type_ids != expected:
        raise UserError("the tokenizer gives token types in a way that is not computed here")
    return between[-1]


def tokenize(texts: Sequence[str], tokenizer: "Tokenizer") -> Ragged:
    """Piece numbers of each text."""
    return numbers_of(tokenizer.encode_batch_fast(list(texts), add_special_tokens=False), tokenizer)


def numbers_of(encodings: "Sequence[Encoding]", tokenizer: "Tokenizer") -> Ragged:
    """The pieces of each encoding, made without special tokens.

    Vocabularies of sentencepiece hold the special tokens as pieces too: where a text spells one out, the
    piece is unknown.
    """
    pieces = Ragged.of([encoding.ids for encoding in encodings])
    known = specials(tokenizer)
    pieces.values[np.isin(pieces.values, sorted(known.numbers))] = known.unknown
    return pieces


def tokenize_distinct(texts: Sequence[str], tokenizer: "Tokenizer") -> Ragged:
    """As `tokenize`, with the work done once for texts that repeat: words, prompts."""
    places: dict[str, int] = {}
    index = [places.setdefault(text, len(places)) for text in texts]
    return tokenize(list(places), tokenizer).take(np.asarray(index, np.int64))
