"""BUCC's shared task: two monolingual files of `id<tab>sentence`, and the pairs of ids that are translations.

Rows have the columns of google/xtreme's `bucc18.<code>`, with ids for languages: first the pairs, then every
other sentence of either side as a distractor, with the other side empty.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from stilts.data.formats import Record, refuse
from stilts.data.formats._text import lines


def rows(paths: Sequence[Path], *, language: str) -> Iterator[Record]:  # noqa: ARG001
    """Pairs and distractors of one language; the paths are foreign sentences, English ones, and pairs."""
    foreign_path, english_path, gold = paths
    foreign, english = _sentences(foreign_path), _sentences(english_path)
    yield from mining(
        foreign, english, _pairs(gold, foreign, english), paths=(foreign_path, english_path, gold)
    )


def mining(
    foreign: Mapping[str, str],
    english: Mapping[str, str],
    pairs: Sequence[tuple[str, str]],
    *,
    paths: tuple[Path, Path, Path],
) -> Iterator[Record]:
    """Rows of two pools by id and the pairs among them; `paths` are where they come from."""
    paired = {name for pair in pairs for name in pair}
    number = 0
    for number, (left, right) in enumerate(pairs, start=1):
        yield _row(left, foreign[left], right, english[right], paths[2], number)
    for number, (name, text) in enumerate(foreign.items(), start=1):
        if name not in paired:
            yield _row(name, text, "", "", paths[0], number)
    for number, (name, text) in enumerate(english.items(), start=1):
        if name not in paired:
            yield _row("", "", name, text, paths[1], number)


def _row(foreign_id: str, foreign: str, english_id: str, english: str, path: Path, number: int) -> Record:
    values = {
        "source_sentence": foreign,
        "target_sentence": english,
        "source_lang": foreign_id,
        "target_lang": english_id,
    }
    return Record(values, path=path, number=number)


def _sentences(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in lines(path):
        name, tab, sentence = line.partition("\t")
        if not tab or "-" not in name or not sentence.strip():
            raise refuse(path, number, "an id, a tab and a sentence are expected")
        if name in found:
            raise refuse(path, number, f"the id {name} stands here twice")
        found[name] = sentence
    return found


def _pairs(path: Path, foreign: Mapping[str, str], english: Mapping[str, str]) -> list[tuple[str, str]]:
    found = []
    for number, line in lines(path):
        names = tuple(line.split("\t"))
        if len(names) != 2 or names[0] not in foreign or names[1] not in english:
            raise refuse(
                path, number, f"a foreign and an English id of the sentences are expected, not {line[:80]!r}"
            )
        found.append((names[0], names[1]))
    return found
