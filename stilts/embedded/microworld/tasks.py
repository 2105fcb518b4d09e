"""Which rows the microworld gives for which task, in the schema of the task's own data set."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from stilts.embedded.microworld import commonsense, continuations, quora, reasons
from stilts.embedded.microworld.grammar import UPOS, Language
from stilts.embedded.microworld.inference import pair
from stilts.embedded.microworld.paraphrase import Couple, couple
from stilts.embedded.microworld.reading import passage, question
from stilts.embedded.microworld.sentences import join, realise, sentence, text
from stilts.embedded.microworld.tagging import category, entities, tagged
from stilts.embedded.microworld.telling import asked, told
from stilts.embedded.microworld.truth import NLI, Claim

Row = dict[str, Any]
Make = Callable[[Language, int, str, int], Row]
"""(language, seed, split, index) -> row."""

ENTITIES = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")
"""Names of PAN-X's `ner_tags`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Maker:
    """How a task's rows are made, and for whom."""

    make: Make
    languages: tuple[str, ...] = ("en",)
    """Those XTREME has, whether or not the microworld speaks them."""
    dev_languages: tuple[str, ...] | None = None
    """Languages with a dev set, where not all have one."""


def _anli(language: Language, seed: int, split: str, index: int) -> Row:
    item = pair(seed, split, index, name="anli_plus", hard=True)
    premise, hypothesis = told(language, item.premise).string, told(language, [item.hypothesis]).string
    label = NLI.index(item.label)
    return {"uid": str(index), "premise": premise, "hypothesis": hypothesis, "label": label, "reason": ""}


def _mnli(language: Language, seed: int, split: str, index: int, *, name: str = "mnli") -> Row:
    item = pair(seed, split, index, name=name, hard=False)
    premise, hypothesis = told(language, item.premise).string, told(language, [item.hypothesis]).string
    return {"premise": premise, "hypothesis": hypothesis, "label": NLI.index(item.label), "idx": index}


def _xnli(language: Language, seed: int, split: str, index: int) -> Row:
    row = _mnli(language, seed, split, index, name="mnli" if split == "train" else "xnli")
    return {
        "language": language.code,
        "gold_label": NLI[row["label"]],
        "sentence1": row["premise"],
        "sentence2": row["hypothesis"],
    }


def _qqp(language: Language, seed: int, split: str, index: int) -> Row:
    one, two, same = quora.questions(language, seed, split, index)
    return {"question1": one, "question2": two, "label": int(same), "idx": index}


def _pawsx(language: Language, seed: int, split: str, index: int) -> Row:
    item: Couple = couple(seed, split, index, name="pawsx")
    one, two = _one_sentence(language, item.first), _one_sentence(language, item.second)
    return {"sentence1": one, "sentence2": two, "label": str(int(item.same))}


def _one_sentence(language: Language, claims: tuple[Claim, ...]) -> str:
    said = [realise(language, claim.form, claim.fact) for claim in claims]
    whole = join(language, "and", *said) if len(said) == 2 else said[0]
    return text(language, sentence(language, whole)).string


def _squad(
    language: Language,
    seed: int,
    split: str,
    index: int,
    *,
    name: str,
    unanswerable: float = 0.0,
    told_id: str = "",
) -> Row:
    trained = split == "train" and name in {"xquad", "mlqa"}
    item = question(seed, split, index, name="squad_v1" if trained else name, unanswerable=unanswerable)
    laid, span = passage(language, item)
    prefix = told_id.format(name=language.name.lower()) if told_id else f"{name}-"
    row: Row = {
        "id": f"{prefix}{split}-{index}",
        "title": "Microworld",
        "context": laid.string,
        "question": asked(language, item.role, Claim(item.about, True, "")),
        "answers": {"text": [], "answer_start": []},
    }
    if span:
        row["answers"] = {"text": [laid.string[span[0] : span[1]]], "answer_start": [span[0]]}
    return row


def _xquad(language: Language, seed: int, split: str, index: int) -> Row:
    row = _squad(language, seed, split, index, name="xquad")
    del row["title"]
    return row


def _udpos(language: Language, seed: int, split: str, index: int) -> Row:
    words = tagged(language, seed, split, index, name="udpos")
    return {"tokens": [word.text for word in words], "pos_tags": [UPOS.index(word.upos) for word in words]}


def _panx(language: Language, seed: int, split: str, index: int) -> Row:
    pairs = entities(language, tagged(language, seed, split, index, name="panx"))
    return {
        "tokens": [token for token, _ in pairs],
        "ner_tags": [ENTITIES.index(tag) for _, tag in pairs],
        "langs": [language.code] * len(pairs),
    }


def _ccg(language: Language, seed: int, split: str, index: int) -> Row:
    words = tagged(language, seed, split, index, name="ccg")
    tags = [category(language, words, place) for place in range(len(words))]
    return {"tokens": [word.text for word in words], "tags": tags}


def _codes(listed: str) -> tuple[str, ...]:
    return tuple(listed.split())


_TAGGED = _codes("en ar de es fi fr hi id ko ru sw vi zh")

MAKERS: Mapping[str, Maker] = {
    "anli_plus": Maker(make=_anli),
    "mnli": Maker(make=_mnli),
    "qqp": Maker(make=_qqp),
    "squad_v1": Maker(make=partial(_squad, name="squad_v1")),
    "squad_v2": Maker(make=partial(_squad, name="squad_v2", unanswerable=0.4)),
    "hellaswag": Maker(make=continuations.row),
    "ccg": Maker(make=_ccg),
    "cosmosqa": Maker(make=reasons.row),
    "commonsenseqa": Maker(make=commonsense.row),
    "xnli": Maker(make=_xnli, languages=_codes("en ar de es fr hi ru sw vi zh")),
    "pawsx": Maker(make=_pawsx, languages=_codes("en de es fr ko zh")),
    "udpos": Maker(make=_udpos, languages=tuple(code for code in _TAGGED if code != "sw")),
    "panx": Maker(make=_panx, languages=_TAGGED),
    "xquad": Maker(make=_xquad, languages=_codes("en ar de es hi ru vi zh"), dev_languages=("en",)),
    "mlqa": Maker(make=partial(_squad, name="mlqa"), languages=_codes("en ar de es hi vi zh")),
    "tydiqa": Maker(
        make=partial(_squad, name="tydiqa", told_id="{name}-"),
        languages=_codes("en ar fi id ko ru sw"),
        dev_languages=("en",),
    ),
}
