"""Two text files, line by line translations of each other. Columns are those of google/xtreme's tatoeba."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from stilts.data.formats import Record, refuse
from stilts.data.formats._text import lines


def rows(paths: Sequence[Path], *, language: str) -> Iterator[Record]:
    """One row a pair of lines of the foreign and the English file."""
    foreign, english = paths
    for left, right in zip_longest(lines(foreign), lines(english)):
        if left is None or right is None:
            short, number = (foreign, right[0]) if left is None else (english, left[0])
            raise refuse(short, number, f"missing: {foreign.name} and {english.name} differ in length")
        for path, (number, sentence) in ((foreign, left), (english, right)):
            if not sentence.strip():
                raise refuse(path, number, "an empty sentence")
        values = {
            "source_sentence": left[1],
            "target_sentence": right[1],
            "source_lang": language,
            "target_lang": "en",
        }
        yield Record(values, path=foreign, number=left[0])
