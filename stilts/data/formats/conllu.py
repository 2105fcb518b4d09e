"""CoNLL-U treebanks, prepared as XTREME prepares them for its part-of-speech task.

A fused form (a range such as `3-4`) stays one token. It gets the tag of the word that stands highest in the
dependency tree; of several, the one whose tag comes first in a list by language. Spaces and zero-width
non-joiners within words go. A sentence whose words are withheld (`_` for all but one at most) is left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from stilts.data.formats import Record, refuse
from stilts.data.formats._text import lines

# From google-research/xtreme, third_party/ud-conversion-tools/conllu_to_conll.py.
PRECEDENCE: Mapping[str, tuple[str, ...]] = {
    "default": (
        "VERB", "NOUN", "PROPN", "PRON", "ADJ", "NUM", "ADV", "INTJ", "AUX", "ADP", "DET", "PART", "CCONJ",
        "SCONJ", "X", "PUNCT",
    ),
    "es": ("VERB", "AUX", "PRON", "ADP", "DET"),
    "fr": ("VERB", "AUX", "PRON", "NOUN", "ADJ", "ADV", "ADP", "DET", "PART", "SCONJ", "CONJ"),
    "it": ("VERB", "AUX", "ADV", "PRON", "ADP", "DET", "INTJ"),
}  # fmt: skip
"""Tags of the words of a fused form, from the one that wins; tags that are not listed come last."""

_COLUMNS = 10
_UNSEEN = str.maketrans("", "", " \u200c")


@dataclass(slots=True)
class _Sentence:
    """Words of a sentence as they stand in the file."""

    path: Path
    number: int
    """Line it begins in."""
    name: str = ""
    forms: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    heads: list[int] = field(default_factory=list)
    """Number of each word's head, from 1; 0 for the root."""
    fused: list[tuple[int, int, str]] = field(default_factory=list)
    """First and last word, from 1, and form of each fused token."""


def rows(
    paths: Sequence[Path], *, language: str, words: Literal["fused", "syntactic"] = "fused"
) -> Iterator[Record]:
    """One row a sentence, treebank after treebank.

    Args:
        paths: the treebanks, read in turn.
        language: decides which tag a fused form gets.
        words: `syntactic` splits fused forms, as the copy on the Hub does.
    """
    precedence = PRECEDENCE.get(language, PRECEDENCE["default"])
    for path in paths:
        treebank = path.name.split("-ud-")[0]
        for sentence in _sentences(path):
            if words == "fused":
                _fuse(sentence, precedence)
            withheld = sentence.forms.count("_")
            if withheld and withheld >= len(sentence.forms) - 1:
                continue
            values = {
                "id": f"{treebank}/{sentence.name or sentence.number}",
                "tokens": [form.translate(_UNSEEN) for form in sentence.forms],
                "pos_tags": sentence.tags,
            }
            yield Record(values, path=path, number=sentence.number)


def _sentences(path: Path) -> Iterator[_Sentence]:
    sentence, number = _Sentence(path, 1), 0
    for number, line in lines(path):
        if not line.strip():
            if sentence.forms:
                _check(sentence)
                yield sentence
            sentence = _Sentence(path, number + 1)
        elif line.startswith("#"):
            key, _, value = line[1:].partition("=")
            if key.strip() == "sent_id":
                sentence.name = value.strip()
        else:
            _add(sentence, line.split("\t"), number)
    if sentence.forms or not number:
        raise refuse(path, max(number, 1), "cut short: the last sentence is not closed by an empty line")


def _add(sentence: _Sentence, values: list[str], number: int) -> None:
    if len(values) != _COLUMNS:
        raise refuse(sentence.path, number, f"{len(values)} columns, CoNLL-U has {_COLUMNS}")
    name, form, _, tag, _, _, head, *_ = values
    first, dash, last = name.partition("-")
    match (_whole(first), bool(dash), _whole(last)):
        case (int(begin), True, int(end)):
            sentence.fused.append((begin, end, form))
        case (int(begin), False, _) if begin == len(sentence.forms) + 1 and _whole(head) is not None:
            sentence.forms.append(form)
            sentence.tags.append(tag)
            sentence.heads.append(int(head))
        case _ if "." not in name:  # words that are not in the text, as 8.1, are left out
            raise refuse(
                sentence.path, number, f"word {name!r} with head {head!r} after {len(sentence.forms)}"
            )


def _whole(text: str) -> int | None:
    """The number that a few ASCII digits spell."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _COLUMNS else None


def _check(sentence: _Sentence) -> None:
    size, last = len(sentence.forms), 0
    for begin, end, form in sentence.fused:
        if not last < begin <= end <= size:
            raise refuse(sentence.path, sentence.number, f"{begin}-{end} {form!r} does not fit {size} words")
        last = end
    if max(sentence.heads) > size:
        raise refuse(sentence.path, sentence.number, f"head {max(sentence.heads)} of {size} words")


def _fuse(sentence: _Sentence, precedence: Sequence[str]) -> None:
    """Puts each fused form in the place of its words."""
    for begin, end, form in reversed(sentence.fused):
        depths = {word: _depth(sentence.heads, word) for word in range(begin, end + 1)}
        highest = [word for word, depth in depths.items() if depth == min(depths.values())]
        tags = [sentence.tags[word - 1] for word in highest]
        ranks = [precedence.index(tag) if tag in precedence else len(precedence) for tag in tags]
        place = slice(begin - 1, end)
        sentence.forms[place] = [form]
        sentence.tags[place] = [tags[ranks.index(min(ranks))]]
        # Heads keep the numbers of the file: forms further to the left are still looked up by them.


def _depth(heads: Sequence[int], word: int) -> int:
    """Words above a word; a circle, which some treebanks have, counts once."""
    above: set[int] = set()
    while word and word not in above:
        above.add(word)
        word = heads[word - 1]
    return len(above)
