"""Span questions in SQuAD's schema: id, context, question, answers {text, answer_start}."""

from hashlib import sha256

from stilts.tasks import Example, FolderFiles, Row
from stilts.tasks._columns import as_list, identity, text, texts

STRIPPED = 16
"""Characters that stripping a text moves its answers by at most."""


def read_squad(row: Row) -> Example | None:
    """One question; the cluster is its passage, the unit that questions share.

    Context and answers were stripped when the Hub copies were made, the starts were not moved: an answer that
    does not stand at its start is looked for a few characters around it, and gets start -1 where it is not
    there: further away is another mention. An empty text is no answer: XTREME's own download leaves such ones
    in place of test answers.
    """
    context, answers = text(row, "context"), row["answers"]
    starts = as_list(answers["answer_start"], "answer_start")
    if any(type(start) is not int for start in starts):
        raise ValueError("answer_start holds what is no whole number")
    return {
        "id": identity(row, "id"),
        "cluster": sha256(context.encode()).hexdigest()[:16],
        "question": text(row, "question").strip(),
        "context": context,
        "answers": [
            {"text": answer, "start": _align(context, answer, start)}
            for answer, start in zip(texts(answers, "text"), starts, strict=True)
            if answer
        ],
    }


def _align(context: str, answer: str, start: int) -> int:
    if start >= 0 and context.startswith(answer, start):
        return start
    low, high = max(0, start - STRIPPED), max(0, start + STRIPPED) + len(answer)
    before = context.rfind(answer, low, max(start, 0) + len(answer))
    after = context.find(answer, max(start, 0), high)
    if before < 0 or after < 0:
        return max(before, after)
    return before if start - before <= after - start else after


def squad_files(version: str, *, folder: str) -> tuple[FolderFiles, ...]:
    """SQuAD's own files of a version, in the task's folder or in one that both versions share."""
    sets = {"train": ("train",), "dev": ("dev",)}
    return tuple(
        FolderFiles(format="squad_json", files=(f"{place}/{{split}}-{version}.json",), sets=sets)
        for place in (folder, "squad")
    )
