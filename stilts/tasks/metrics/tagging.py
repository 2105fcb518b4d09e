"""F1 over chunks as seqeval counts them, and how many tags are right."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Scheme = Literal["entities", "pos", "tokens"]
"""`entities`: tags are B-X, I-X, O. `pos`: bare parts of speech. `tokens`: no chunks at all."""

Tags = Sequence[Sequence[str]]


def chunk_f1(gold: Tags, predicted: Tags, *, scheme: Scheme) -> float:
    """Micro F1 over chunks, 0 to 100; 0 when there is none on either side.

    Bare parts of speech are scored by XTREME with seqeval 0.0.12, where a run of equal tags is one chunk,
    except that the S of SCONJ and SYM reads as "single". seqeval 1 drops the first letter instead and takes
    CCONJ and SCONJ for one type. A prefix on every tag gives the old chunks under either version.
    """
    from seqeval.metrics import f1_score

    if scheme == "pos":
        gold, predicted = _prefixed(gold), _prefixed(predicted)
    pair = [list(tags) for tags in gold], [list(tags) for tags in predicted]
    return 100 * float(f1_score(*pair, average="micro", zero_division=0))


def chunk_counts(gold: Tags, predicted: Tags, *, scheme: Scheme) -> NDArray[np.int64]:
    """Chunks right, predicted and gold in each sentence: [sentences, 3]; their sums give `chunk_f1`."""
    from seqeval.metrics.sequence_labeling import get_entities

    if scheme == "pos":
        gold, predicted = _prefixed(gold), _prefixed(predicted)
    chunks = [
        (set(get_entities(list(g))), set(get_entities(list(p)))) for g, p in zip(gold, predicted, strict=True)
    ]
    counts = [(len(wanted & found), len(found), len(wanted)) for wanted, found in chunks]
    return np.asarray(counts, np.int64).reshape(-1, 3)


def right_tags(gold: Tags, predicted: Tags) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many tags of each sentence are right, and how many it has.

    Raises:
        ValueError: a sentence has more or fewer tags than words.
    """
    for number, (g, p) in enumerate(zip(gold, predicted, strict=True)):
        if len(g) != len(p):
            raise ValueError(f"sentence {number} has {len(g)} words but {len(p)} predicted tags")
    lengths = np.asarray([len(tags) for tags in gold], np.int64)
    same = [sum(a == b for a, b in zip(g, p, strict=True)) for g, p in zip(gold, predicted, strict=True)]
    return np.asarray(same, np.int64), lengths


def _prefixed(sentences: Tags) -> list[list[str]]:
    return [[_with_prefix(tag) for tag in tags] for tags in sentences]


def _with_prefix(tag: str) -> str:
    """O, which fills a missing prediction, stays outside of all chunks."""
    if tag == "O":
        return tag
    return ("S-" if tag[0] == "S" else "I-") + tag
