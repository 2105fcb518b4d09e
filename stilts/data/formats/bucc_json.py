"""BUCC as `mteb/bucc-bitext-mining` has it: the sentences of both sides, and pairs of positions from 1."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from stilts.data.formats import Record, refuse
from stilts.data.formats._text import document
from stilts.data.formats.bucc import mining


def rows(paths: Sequence[Path], *, language: str) -> Iterator[Record]:
    """As `bucc.rows`; the ids are those of the shared task, which numbers its sentences through."""
    for path in paths:
        found = document(path)
        if isinstance(found, list) and len(found) == 1:
            found = found[0]
        foreign = _sentences(path, found, "sentence1", language)
        english = _sentences(path, found, "sentence2", "en")
        left, right = list(foreign), list(english)
        pairs = enumerate(_list(path, found, "gold"), start=1)
        gold = [_pair(path, number, pair, left, right) for number, pair in pairs]
        yield from mining(foreign, english, gold, paths=(path, path, path))


def _list(path: Path, found: Any, key: str) -> list[Any]:
    if not isinstance(found, dict) or not isinstance(found.get(key), list):
        raise refuse(path, None, f"no list `{key}`: an object with sentence1, sentence2 and gold is expected")
    values: list[Any] = found[key]
    return values


def _sentences(path: Path, found: Any, key: str, prefix: str) -> dict[str, str]:
    texts = _list(path, found, key)
    for number, text in enumerate(texts, start=1):
        if not isinstance(text, str):
            raise refuse(path, number, f"{key} holds {type(text).__name__} where a sentence is expected")
    return {f"{prefix}-{number:09d}": text for number, text in enumerate(texts, start=1)}


def _pair(
    path: Path, number: int, pair: Any, foreign: Sequence[str], english: Sequence[str]
) -> tuple[str, str]:
    match pair:
        case [int(left), int(right)] if 1 <= left <= len(foreign) and 1 <= right <= len(english):
            return foreign[left - 1], english[right - 1]
    raise refuse(path, number, f"gold holds {pair!r} where two positions are expected")
