"""Exact match and token F1 of answers: SQuAD v1.1 and v2.0, and MLQA's rules by language."""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stilts.errors import unknown

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


def squad_tokens(text: str) -> list[str]:
    """Words by SQuAD's rules for all languages: lower case, no ASCII punctuation, no English articles."""
    return _ENGLISH_ARTICLES.sub(" ", text.lower().translate(_ASCII_PUNCTUATION)).split()


def mlqa_tokens(text: str, language: str) -> list[str]:
    """Words by MLQA's rules: no punctuation of any script, no articles of the language, Chinese by character.

    Raises:
        Problem: MLQA has no rules for the language.
    """
    if language not in MLQA_ARTICLES:
        raise unknown("language", language, MLQA_ARTICLES, where="the MLQA metric")
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


def best_no_answer_threshold(
    scores: Sequence[float], answers: Sequence[str], golds: Sequence[Sequence[str]]
) -> tuple[float, float, float]:
    """The best exact match and F1 (0 to 100) that any cut reaches in SQuAD v2.0, each at its own cut.

    Args:
        scores: lead of each answer over "no answer".
        answers: the text that is predicted where the lead exceeds the cut.
        golds: gold answers; none for a question that has none.

    Returns:
        Cut with the best F1, best exact match, best F1.
    """
    order = np.argsort(-np.asarray(scores, np.float64), kind="stable")
    ranked = np.asarray(scores, np.float64)[order]
    best = []
    cut = np.inf
    answered = score_answers(answers, golds, rules="squad_v2", language="en")
    silent = score_answers([""] * len(golds), golds, rules="squad_v2", language="en")
    for spoken, quiet in zip(answered, silent, strict=True):
        gains = np.append(0.0, np.cumsum((spoken - quiet)[order]))
        # Equal scores fall on one side of any cut together.
        allowed = np.concatenate([[True], ranked[1:] < ranked[:-1], [True]])
        gains[~allowed] = -np.inf
        place = int(gains.argmax())
        cut = np.inf if place == 0 else (-np.inf if place == len(ranked) else float(ranked[place]))
        best.append(100 * float(quiet.sum() + gains[place]) / len(golds))
    return cut, best[0], best[1]


def _tokens(text: str, rules: Rules, language: str) -> list[str]:
    return mlqa_tokens(text, language) if rules == "mlqa" else squad_tokens(text)


def _f1(found: list[str], wanted: list[str], rules: Rules) -> float:
    if rules == "squad_v2" and not (found and wanted):
        return float(found == wanted)
    shared = (Counter(found) & Counter(wanted)).total()
    return 2 * shared / (len(found) + len(wanted)) if shared else 0.0


def _is_punctuation(letter: str) -> bool:
    return letter in string.punctuation or unicodedata.category(letter).startswith("P")
