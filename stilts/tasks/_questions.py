"""Span questions in SQuAD's schema: id, context, question, answers {text, answer_start}."""

from hashlib import sha256

from stilts.tasks import Example, FolderFiles, Row


def read_squad(row: Row) -> Example | None:
    """One question; the cluster is its passage, the unit that questions share.

    Context and answers were stripped when the Hub copies were made, the starts were not moved: an answer that
    does not stand at its start is looked for around it, and gets start -1 when it is nowhere. An empty text
    is no answer: XTREME's own download leaves such ones in place of test answers.
    """
    context, answers = row["context"], row["answers"]
    return {
        "id": str(row["id"]),
        "cluster": sha256(context.encode()).hexdigest()[:16],
        "question": row["question"].strip(),
        "context": context,
        "answers": [
            {"text": text, "start": _align(context, text, int(start))}
            for text, start in zip(answers["text"], answers["answer_start"], strict=True)
            if text
        ],
    }


def _align(context: str, text: str, start: int) -> int:
    if start >= 0 and context.startswith(text, start):
        return start
    before = context.rfind(text, 0, max(start, 0) + len(text))
    after = context.find(text, max(start, 0))
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
