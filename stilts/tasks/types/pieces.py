"""Text to piece numbers, without special tokens; and the special tokens of an XLM-R tokenizer."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hpc.errors import UserError
from stilts.tasks.types.ragged import Ragged

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True, kw_only=True, slots=True)
class Specials:
    """Numbers of `<s>`, `</s>`, `<unk>` and of the lone word mark (-1 where the vocabulary lacks it)."""

    start: int
    end: int
    unknown: int
    mark: int


def open_tokenizer(path: Path) -> "Tokenizer":
    """Reads a `tokenizer.json`; truncation and padding it may carry are switched off.

    Raises:
        UserError: the file is missing or no tokenizer.
    """
    from tokenizers import Tokenizer

    if not path.exists():
        raise UserError(f"no tokenizer at {path}; prepare the model first", code=3)
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises plain Exception for whatever its JSON reader finds
        raise UserError(f"{path} is no tokenizer: {error}") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def specials(tokenizer: "Tokenizer") -> Specials:
    """The special tokens.

    Raises:
        UserError: one is missing.
    """
    found = {token: tokenizer.token_to_id(token) for token in ("<s>", "</s>", "<unk>", "\u2581")}
    numbers = {token: -1 if number is None else number for token, number in found.items()}
    missing = [token for token in ("<s>", "</s>", "<unk>") if numbers[token] < 0]
    if missing:
        raise UserError(f"the tokenizer has no {', '.join(missing)}; an XLM-R one is needed")
    return Specials(
        start=numbers["<s>"],
        end=numbers["</s>"],
        unknown=numbers["<unk>"],
        mark=numbers["\u2581"],
    )


def tokenize(texts: Sequence[str], tokenizer: "Tokenizer") -> Ragged:
    """Piece numbers of each text."""
    found = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    return Ragged.of([encoding.ids for encoding in found])


def tokenize_distinct(texts: Sequence[str], tokenizer: "Tokenizer") -> Ragged:
    """As `tokenize`, with the work done once for texts that repeat: words, prompts."""
    places: dict[str, int] = {}
    index = [places.setdefault(text, len(places)) for text in texts]
    return tokenize(list(places), tokenizer).take(np.asarray(index, np.int64))
