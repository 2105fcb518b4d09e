"""Cut a Unigram tokenizer down to what a study's texts use.

A Unigram tokenizer takes the path of pieces with the highest score. Taking away pieces that are on no best
path leaves every best path where it was, as long as unknown characters cost what they did: their price hangs
on the lowest score of the vocabulary, so the piece with that score stays. It is checked on every text.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hpc.errors import UserError
from stilts.model.tokenizer import MASK, SPACE, SPECIALS
from stilts.tasks.coding.pieces import parse_tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CHUNK = 2048
_WHERE = Path("tokenizer.json")


@dataclass(frozen=True, kw_only=True, slots=True)
class Pruned:
    """A smaller tokenizer, and how it hangs together with the one it was cut from."""

    tokenizer: str
    """The text of the smaller tokenizer.json."""
    ids: NDArray[np.int64]
    """The old id of every new id: rows to take from the embeddings."""


def prune(tokenizer: str, texts: Iterable[str]) -> Pruned:
    """Keeps the pieces that `texts` use, the specials and every single character seen.

    Args:
        tokenizer: the text of a tokenizer.json with XLM-R's ids of the specials.
        texts: each string as it will be tokenised; a sentence that is tokenised word by word counts as words.

    Raises:
        UserError: the tokenizer is of another type, or a text would be segmented differently.
    """
    description = json.loads(tokenizer)
    vocabulary = _checked_vocabulary(description)
    chunks = list(_chunks(list(dict.fromkeys(texts))))
    full = parse_tokenizer(tokenizer.encode(), where=_WHERE)
    encoded = [_encode(full, chunk) for chunk in chunks]
    ids = _kept(vocabulary, encoded)
    smaller = json.dumps(_renumbered(description, ids), ensure_ascii=False)
    _verify(parse_tokenizer(smaller.encode(), where=_WHERE), chunks, encoded, ids, size=len(vocabulary))
    return Pruned(tokenizer=smaller, ids=ids)


def _checked_vocabulary(description: dict[str, Any]) -> list[tuple[str, float]]:
    model = description["model"]
    if model.get("type") != "Unigram":
        raise UserError(
            f"pruning knows Unigram tokenizers, this one is {model.get('type')}: leave pruning off."
        )
    vocabulary = [(piece, score) for piece, score in model["vocab"]]
    pieces = [piece for piece, _ in vocabulary]
    added = [token["content"] for token in description["added_tokens"] if token["id"] >= len(pieces)]
    if tuple(pieces[:4]) != SPECIALS or pieces[-1] != MASK or added:
        raise UserError(
            "pruning knows XLM-R's vocabulary (<s> <pad> </s> <unk> ... <mask>), this one differs."
        )
    return vocabulary


def _chunks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    return (texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK))


def _encode(tokenizer: "Tokenizer", texts: Sequence[str]) -> list[NDArray[np.int32]]:
    encodings = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    return [np.array(encoding.ids, dtype=np.int32) for encoding in encodings]


def _kept(vocabulary: list[tuple[str, float]], encoded: list[list[NDArray[np.int32]]]) -> NDArray[np.int64]:
    keep = np.zeros(len(vocabulary), dtype=bool)
    for chunk in encoded:
        for ids in chunk:
            keep[ids] = True
    characters = {SPACE}.union(*(vocabulary[i][0] for i in np.flatnonzero(keep)))
    keep |= [piece in characters for piece, _ in vocabulary]
    keep[: len(SPECIALS)] = True
    keep[-1] = True
    keep[np.argmin([score for _, score in vocabulary])] = True
    return np.flatnonzero(keep)


def _renumbered(description: dict[str, Any], ids: NDArray[np.int64]) -> dict[str, Any]:
    """The same tokenizer over the kept pieces; only <mask> among the specials gets a new id."""
    old = description["model"]["vocab"]
    new_id = {int(was): now for now, was in enumerate(ids)}
    added = [token | {"id": new_id[token["id"]]} for token in description["added_tokens"]]
    model = description["model"] | {"vocab": [old[i] for i in ids]}
    return description | {"model": model, "added_tokens": added}


def _verify(
    tokenizer: "Tokenizer",
    chunks: list[Sequence[str]],
    encoded: list[list[NDArray[np.int32]]],
    ids: NDArray[np.int64],
    *,
    size: int,
) -> None:
    new_ids = np.full(size, -1, dtype=np.int32)
    new_ids[ids] = np.arange(len(ids))
    for texts, before in zip(chunks, encoded, strict=True):
        after = _encode(tokenizer, texts)
        for text, was, now in zip(texts, before, after, strict=True):
            if not np.array_equal(new_ids[was], now):
                raise UserError(
                    f"pruning would segment {text[:80]!r} differently: leave pruning off.", code=1
                )
