"""Words and tags: `word<tab>tag` a line, sentences set apart by empty lines, as WikiAnn and XTREME have them.

WikiAnn puts the language before each word (`en:London`); it is taken off, and another language is refused.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from stilts.data.formats import Record, refuse
from stilts.data.formats._text import lines

_BLANKED = "no tag; XTREME's own download takes them out of test sets: use the original file or the Hub"


def rows(paths: Sequence[Path], *, language: str, column: str) -> Iterator[Record]:
    """One row a sentence, numbered by its first line.

    Args:
        paths: the files, read in turn.
        language: whose prefix words may have; all words of a file have it, or none.
        column: name of the row's column of tags.
    """
    for path in paths:
        prefix: str | None = None
        tokens: list[str] = []
        tags: list[str] = []
        begin = 1
        for number, line in lines(path):
            if not line.strip():
                if tokens:
                    yield _record(path, begin, tokens, tags, column)
                tokens, tags, begin = [], [], number + 1
                continue
            word, tag = _split(path, number, line)
            if prefix is None:
                prefix = f"{language}:" if word.startswith(f"{language}:") else ""
            if not word.startswith(prefix):
                raise refuse(path, number, f"a word of {prefix[:-1]!r} is expected, not {word!r}")
            tokens.append(word.removeprefix(prefix))
            tags.append(tag)
        if tokens:
            yield _record(path, begin, tokens, tags, column)


def _split(path: Path, number: int, line: str) -> tuple[str, str]:
    values = line.split("\t")
    if len(values) == 1 or not values[-1].strip():
        raise refuse(path, number, _BLANKED)
    if len(values) != 2:
        raise refuse(path, number, f"a word, a tab and a tag are expected, not {len(values)} fields")
    return values[0].strip(), values[1].strip()


def _record(path: Path, number: int, tokens: list[str], tags: list[str], column: str) -> Record:
    return Record({"tokens": tokens, column: tags}, path=path, number=number)
