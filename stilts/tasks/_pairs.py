"""Pairs of sentences: natural language inference and paraphrase, in all the spellings their data sets use."""

from stilts.errors import unknown
from stilts.tasks import Example, Row

NLI_LABELS = ("entailment", "neutral", "contradiction")
PARAPHRASE_LABELS = ("different", "same")

# The translated MNLI training files of XNLI say "contradictory"; SNLI marks a missing majority "-" or -1.
_SPELLINGS: dict[object, int] = {name: index for index, name in enumerate(NLI_LABELS)}
_SPELLINGS |= {0: 0, 1: 1, 2: 2, "contradictory": 2}
_UNLABELLED = (-1, "-", "", None)


def read_nli(row: Row) -> Example | None:
    """MNLI, SNLI and ANLI (premise, hypothesis, label) and XNLI (sentence1, sentence2, gold_label)."""
    label = row["gold_label"] if "gold_label" in row else row["label"]
    if label in _UNLABELLED:
        return None
    if label not in _SPELLINGS:
        raise unknown("NLI label", str(label), NLI_LABELS)
    first, second = ("premise", "hypothesis") if "premise" in row else ("sentence1", "sentence2")
    return {
        "id": str(row.get("uid", row.get("idx", ""))),
        "first": row[first],
        "second": row[second],
        "label": _SPELLINGS[label],
    }


def read_paraphrase(row: Row, *, first: str, second: str) -> Example | None:
    """A pair under the given column names; the label is 0 or 1, as a number or as text."""
    label = int(row["label"])
    if label not in (0, 1):
        return None
    return {
        "id": str(row.get("id", row.get("idx", ""))),
        "first": row[first],
        "second": row[second],
        "label": label,
    }
