"""Exact match and token F1 of answers: SQuAD v1.1 and v2.0, and MLQA's rules by language."""

import json
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hpc.errors import UserError, unknown_name
from stilts.tasks.metrics import Floats, Metric, Predictions, Scored, Stored, Submitted

Rules = Literal["squad", "squad_v2", "mlqa"]

MLQA_ARTICLES = {
    "en": ("a", "an", "the"),
    "es": ("un", "una", "unos", "unas", "el", "la", "los", "las"),
    "vi": ("c\u1ee7a", "l\u00e0", "c\u00e1i", "chi\u1ebfc", "nh\u1eefng"),
    "de": ("ein", "eine", "einen", "einem", "eines", "einer", "der", "die", "das", "den", "dem", "des"),
    "ar": (),
    "hi": (),
    "zh": (),
}
"""Words MLQA removes before it compares; Arabic has a pattern of its own."""

_ENGLISH_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
# MLQA's pattern has an alternative that can never match; what is left of it acts inside words too.
_ARABIC_ARTICLE = re.compile("\u0627\u0644")
_CHINESE = re.compile("([\u4e00-\u9fa5])")
_ASCII_PUNCTUATION = str.maketrans("", "", string.punctuation)


def metric(rules: Rules) -> Metric:
    """Exact match and F1 by the rules of a data set."""
    return Metric(
        score=partial(_score, rules=rules),
        reports=("em", "f1"),
        counted=("em", "f1"),
        contributions=partial(_contributions, rules=rules),
        submission=_submission,
        submitted=_submitted,
        suffix="json",
        allows=("unanswered",) if rules == "squad_v2" else (),
    )


def _score(given: Predictions, *, rules: Rules) -> Scored:
    golds = [[answer["text"] for answer in answers] for answers in given.column("answers")]
    predictions, best = list(given.values), {}
    if rules == "squad_v2" and given.confidences is not None:
        cut = best_no_answer_threshold(given.confidences, predictions, golds)
        best = {"em": cut.em, "f1": cut.f1}
        predictions = with_no_answer(predictions, given.confidences, threshold=cut.threshold)
    em, f1 = score_answers(predictions, golds, rules=rules, language=given.language)
    values = {"em": 100 * float(em.mean()), "f1": 100 * float(f1.mean())} | best
    return Scored(values=values, by_example=f1.astype(np.float32), missing=given.missing)


def _contributions(stored: Stored, language: str, *, rules: Rules) -> Floats:
    golds = [str(gold or "").split(" | ") for gold in stored["gold"]]
    em, f1 = score_answers(stored["pred"], golds, rules=rules, language=language)
    return ((em + f1) / 2)[:, None]


def _submission(given: Submitted) -> str:
    """One object: question id to answer."""
    ids = [str(name) for name in given.predictions.examples["id"]]
    if len(set(ids)) < len(ids):
        raise UserError(f"{given.name}: the data repeat an id, and a submission names answers by id", code=3)
    answers = {name: value or "" for name, value in zip(ids, given.predictions.values, strict=True)}
    return json.dumps(answers, ensure_ascii=False, indent=1) + "\n"


def _submitted(text: str, given: Submitted) -> list[str]:
    """Answers to all questions, and to no other ones."""
    found = json.loads(text)
    if not isinstance(found, dict) or not all(isinstance(answer, str) for answer in found.values()):
        raise ValueError("one JSON object of question ids and answers is expected")
    ids = [str(name) for name in given.predictions.examples["id"]]
    for what, names in (("no answer to", set(ids) - set(found)), ("unknown question", set(found) - set(ids))):
        if names:
            raise ValueError(f"{what} {min(names)!r}" + f" and {len(names) - 1} more" * (len(names) > 1))
    return [found[name] for name in ids]


def squad_tokens(text: str) -> list[str]:
    """Words by SQuAD's rules for all languages: lower case, no ASCII punctuation, no English articles."""
    return _ENGLISH_ARTICLES.sub(" ", text.lower().translate(_ASCII_PUNCTUATION)).split()


def mlqa_tokens(text: str, language: str) -> list[str]:
    """Words by MLQA's rules: no punctuation of any script, no articles of the language, Chinese by character.

    Raises:
        UserError: MLQA has no rules for the language.
    """
    if language not in MLQA_ARTICLES:
        raise unknown_name("language", language, MLQA_ARTICLES, where="the MLQA metric")
    text = "".join(letter for letter in text.lower() if not _is_punctuation(letter))
    if language == "ar":
        text = _ARABIC_ARTICLE.sub(" ", text)
    elif MLQA_ARTICLES[language]:
        text = re.sub(rf"\b(?:{'|'.join(MLQA_ARTICLES[language])})\b", " ", text)
    elif language == "zh":
        text = _CHINESE.sub(r" \1 ", text)
    return text.split()


def score_answers(
    predictions: Sequence[str | None], golds: Sequence[Sequence[str]], *, rules: Rules, language: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Exact match and F1 of each answer, 0 to 1: the best over its gold answers; 0 for a missing prediction.

    By v2.0's rules a question without gold answers is right when the prediction is empty. By the others it
    cannot be right.
    """
    em, f1 = np.zeros(len(golds)), np.zeros(len(golds))
    for number, (prediction, answers) in enumerate(zip(predictions, golds, strict=True)):
        if prediction is None:
            continue
        found = _tokens(prediction, rules, language)
        wanted = [_tokens(answer, rules, language) for answer in answers]
        if rules == "squad_v2":
            wanted = [answer for answer in wanted if answer] or [[]]
        em[number] = max((float(found == answer) for answer in wanted), default=0.0)
        f1[number] = max((_f1(found, answer, rules) for answer in wanted), default=0.0)
    return em, f1


@dataclass(frozen=True, kw_only=True, slots=True)
class Cut:
    """Where "no answer" begins, and the scores there."""

    threshold: float
    """The answer is given when its lead exceeds this; the cut with the best F1."""
    em: float
    """Best exact match over all cuts, 0 to 100."""
    f1: float
    """Best F1 over all cuts, 0 to 100."""


def best_no_answer_threshold(
    leads: Sequence[float] | NDArray[np.float32],
    answers: Sequence[str | None],
    golds: Sequence[Sequence[str]],
) -> Cut:
    """The best exact match and the best F1 that any cut reaches in SQuAD v2.0, each at its own cut.

    Args:
        leads: score of each answer over "no answer".
        answers: the text that is given where the lead exceeds the cut.
        golds: gold answers; none for a question that has none.
    """
    order = np.argsort(-np.asarray(leads, np.float64), kind="stable")
    ranked = np.asarray(leads, np.float64)[order]
    # Equal leads fall on one side of any cut together.
    is_cut = np.concatenate([[True], ranked[1:] < ranked[:-1], [True]])
    thresholds = np.concatenate([[np.inf], ranked[1:], [-np.inf]])
    silence = [None if answer is None else "" for answer in answers]
    given = score_answers(answers, golds, rules="squad_v2", language="en")
    silent = score_answers(silence, golds, rules="squad_v2", language="en")
    totals = [
        np.where(is_cut, none.sum() + np.append(0.0, np.cumsum((some - none)[order])), -np.inf)
        for some, none in zip(given, silent, strict=True)
    ]
    em, f1 = (100 * float(total.max()) / len(golds) for total in totals)
    return Cut(threshold=float(thresholds[totals[1].argmax()]), em=em, f1=f1)


def with_no_answer(
    answers: Sequence[str | None],
    leads: Sequence[float] | NDArray[np.float32],
    *,
    threshold: float = 0.0,
) -> list[str | None]:
    """The answers, emptied where their lead over "no answer" does not exceed the threshold."""
    return [
        answer if answer is None or lead > threshold else ""
        for answer, lead in zip(answers, leads, strict=True)
    ]


def _tokens(text: str, rules: Rules, language: str) -> list[str]:
    return mlqa_tokens(text, language) if rules == "mlqa" else squad_tokens(text)


def _f1(found: list[str], wanted: list[str], rules: Rules) -> float:
    if rules == "squad_v2" and not (found and wanted):
        return float(found == wanted)
    shared = (Counter(found) & Counter(wanted)).total()
    return 2 * shared / (len(found) + len(wanted)) if shared else 0.0


def _is_punctuation(letter: str) -> bool:
    return letter in string.punctuation or unicodedata.category(letter).startswith("P")
