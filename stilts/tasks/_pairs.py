"""Pairs of sentences: natural language inference and paraphrase, in all the spellings their data sets use."""

from hpc.errors import unknown_name
from stilts.tasks import Example, FolderFiles, HubFiles, Row
from stilts.tasks._columns import identity, label, text

NLI_LABELS = ("entailment", "neutral", "contradiction")
PARAPHRASE_LABELS = ("different", "same")

# XNLI's MNLI says "contradictory", ANLI's own files e, n and c; SNLI marks a missing majority by "-" or -1.
_SPELLINGS: dict[object, int] = {name: index for index, name in enumerate(NLI_LABELS)}
_SPELLINGS |= {0: 0, 1: 1, 2: 2, "contradictory": 2, "e": 0, "n": 1, "c": 2}
_SAME: dict[object, int] = {0: 0, 1: 1, "0": 0, "1": 1, "not_duplicate": 0, "duplicate": 1}
_COLUMNS = (("sentence1", "sentence2"), ("premise", "hypothesis"), ("context", "hypothesis"))
_UNLABELLED = (-1, "-", "", None)


def read_nli(row: Row) -> Example | None:
    """A pair under any of the column names and label spellings that MNLI, SNLI, ANLI and XNLI use."""
    given = label(row, "gold_label" if "gold_label" in row else "label")
    if given in _UNLABELLED:
        return None
    if given not in _SPELLINGS:
        raise unknown_name("NLI label", str(given), NLI_LABELS)
    first, second = next((names for names in _COLUMNS if names[0] in row), _COLUMNS[0])
    return {
        "id": identity(row, "uid", "idx", "pairID"),
        "first": text(row, first),
        "second": text(row, second),
        "label": _SPELLINGS[given],
    }


def read_paraphrase(row: Row, *, first: str, second: str) -> Example | None:
    """A pair under the given column names; the label is a number, also as text, or its name; -1 is none.

    Raises:
        UserError: the label is something else.
    """
    given = label(row, "is_duplicate" if "is_duplicate" in row else "label")
    if given in _UNLABELLED or given == "-1":
        return None
    if given not in _SAME:
        raise unknown_name("label", str(given), map(str, _SAME))
    return {
        "id": identity(row, "id", "idx"),
        "first": text(row, first),
        "second": text(row, second),
        "label": _SAME[given],
    }


def glue(config: str, *, dev: str, part: str = "") -> HubFiles:
    """A task of GLUE on the Hub; `dev` is the name of its development set."""
    return HubFiles(
        repo="nyu-mll/glue",
        revision="bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c",
        config=config,
        sets={"train": ("train",), "dev": (dev,)},
        part=part,
    )


def multinli(*, part: str = "") -> tuple[FolderFiles, ...]:
    """MultiNLI's own files and GLUE's; the development set is the matched one."""
    sets = {"train": ("train",), "dev": ("dev_matched",)}
    return (
        FolderFiles(format="jsonl", files=("mnli/**/multinli_1.0_{split}.jsonl",), sets=sets, part=part),
        FolderFiles(format="tsv", files=("mnli/{split}.tsv",), sets=sets, part=part),
    )
