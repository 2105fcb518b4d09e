"""F1 over chunks as conlleval and seqeval count them, and how many tags are right."""

from collections.abc import Sequence
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hpc.errors import UserError
from stilts.tasks.metrics import Floats, Metric, Predictions, Scored, Stored, Submitted, lines_of

Scheme = Literal["entities", "pos", "tokens"]
"""`entities`: tags are B-X, I-X, O. `pos`: bare parts of speech. `tokens`: no chunks at all."""

Tags = Sequence[Sequence[str]]


def metric(scheme: Scheme, *, outside: str) -> Metric:
    """F1 over chunks, where there are any, and the share of right tags.

    Args:
        scheme: how tags are chunked.
        outside: tag that a submission has where a prediction is missing.
    """
    reports = ("accuracy",) if scheme == "tokens" else ("f1", "accuracy")
    return Metric(
        score=partial(_score, scheme=scheme),
        reports=reports,
        counted=reports[:1],
        contributions=partial(_contributions, scheme=scheme),
        resampled="f1",
        submission=partial(_submission, outside=outside),
        submitted=_submitted,
    )


def _score(given: Predictions, *, scheme: Scheme) -> Scored:
    gold = given.column("tags")
    filled = [["O"] * len(g) if p is None else p for p, g in zip(given.values, gold, strict=True)]
    right, total = right_tags(gold, filled)
    values = {} if scheme == "tokens" else {"f1": chunk_f1(gold, filled, scheme=scheme)}
    right[[p is None for p in given.values]] = 0
    values["accuracy"] = 100 * float(right.sum() / total.sum())
    return Scored(values=values, by_example=(right / total).astype(np.float32), missing=given.missing)


def _contributions(stored: Stored, language: str, *, scheme: Scheme) -> Floats:  # noqa: ARG001
    gold, predicted = ([str(tags or "").split() for tags in stored[side]] for side in ("gold", "pred"))
    if scheme == "tokens":
        right, total = right_tags(gold, predicted)
        return np.stack([right, total, total], axis=1).astype(float)
    return chunk_counts(gold, predicted, scheme=scheme).astype(float)


def _submission(given: Submitted, *, outside: str) -> str:
    """One tag a line, an empty line after a sentence."""
    examples = given.predictions.examples
    sentences = [
        [outside] * len(gold) if tags is None else tags
        for tags, gold in zip(given.predictions.values, examples["tags"], strict=True)
    ]
    for tags, gold, name in zip(sentences, examples["tags"], examples["id"], strict=True):
        if len(tags) != len(gold):
            raise UserError(f"{given.name} {name}: {len(tags)} tags for {len(gold)} words", code=3)
    return "\n\n".join("\n".join(tags) for tags in sentences) + "\n"


def _submitted(text: str, given: Submitted) -> list[list[str]]:
    """Tags by sentence, as many as it has words."""
    wanted = given.predictions.examples["tags"]
    found, at = lines_of(text), 0
    sentences = []
    for number, gold in enumerate(wanted):
        tags = found[at : at + len(gold)]
        at += len(gold)
        if len(tags) < len(gold) or "" in tags:
            raise ValueError(f"line {at}: a tag is missing in sentence {number + 1} of {len(wanted)}")
        if number + 1 < len(wanted) and found[at : at + 1] != [""]:
            raise ValueError(f"line {at + 1}: an empty line is expected after sentence {number + 1}")
        at += 1
        sentences.append(tags)
    if any(found[at - 1 :]):
        raise ValueError(f"line {at}: more tags than the {len(wanted)} sentences have words")
    return sentences


def chunk_f1(gold: Tags, predicted: Tags, *, scheme: Scheme) -> float:
    """Micro F1 over chunks, 0 to 100; 0 when there is none on either side."""
    counts = chunk_counts(gold, predicted, scheme=scheme).sum(axis=0)
    right, found, wanted = (float(count) for count in counts)
    if not right:
        return 0.0
    precision, recall = right / found, right / wanted
    return 100 * (2 * precision * recall / (precision + recall))


def chunk_counts(gold: Tags, predicted: Tags, *, scheme: Scheme) -> NDArray[np.int64]:
    """Chunks right, predicted and gold in each sentence: [sentences, 3]; their sums give `chunk_f1`.

    Bare parts of speech are scored by XTREME with seqeval 0.0.12, where a run of equal tags is one chunk,
    except that the S of SCONJ and SYM reads as "single". A prefix on every tag gives those chunks.
    """
    if scheme == "pos":
        gold, predicted = _prefixed(gold), _prefixed(predicted)
    counts = []
    for g, p in zip(gold, predicted, strict=True):
        wanted, found = chunks(g), chunks(p)
        counts.append((len(wanted & found), len(found), len(wanted)))
    return np.asarray(counts, np.int64).reshape(-1, 3)


def chunks(tags: Sequence[str]) -> set[tuple[str, int, int]]:
    """Type, first and last word of each chunk, by the rules of conlleval.

    A chunk begins with B or S, with any tag of another type than the one before, and with an I or E that
    follows no chunk of its type. The prefix is a tag's first letter, the type what follows its dash.
    """
    found = set()
    start, open_type = 0, ""
    before, type_before = "O", ""
    for place, tag in enumerate([*tags, "O"]):
        prefix, type_ = tag[:1], tag[1:].partition("-")[2] or tag[1:] or "_"
        is_outside = prefix in ("O", ".")
        begins = not is_outside and (prefix in "BS" or before in ("E", "S", "O", ".") or type_ != type_before)
        if open_type and (begins or is_outside):
            found.add((open_type, start, place - 1))
            open_type = ""
        if begins:
            start, open_type = place, type_
        before, type_before = prefix, type_
    return found


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
