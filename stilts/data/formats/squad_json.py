"""SQuAD's JSON: data -> paragraphs -> questions, of versions 1.1 and 2.0, XQuAD, MLQA and TyDiQA-GoldP.

Some files made out of TyDiQA count in bytes where an answer starts: where more answers of a file stand at
their byte than at their character, it is read so.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hpc.errors import UserError
from stilts.data.formats import Record, refuse
from stilts.data.formats._text import document


def rows(paths: Sequence[Path], *, language: str) -> Iterator[Record]:  # noqa: ARG001
    """One row a question, in the Hub's schema; rows are numbered by question.

    A question that is marked impossible has no answers, whatever plausible ones the file lists.
    """
    for path in paths:
        found = document(path)
        if not isinstance(found, dict) or not isinstance(found.get("data"), list):
            raise refuse(path, None, "no SQuAD file: an object with a list `data` is expected")
        rows = list(_rows(path, found["data"]))
        if _counts_bytes(rows):
            for row in rows:
                before = row["context"].encode()
                starts = [before[:start].decode(errors="ignore") for start in row["answers"]["answer_start"]]
                row["answers"]["answer_start"] = [len(start) for start in starts]
        for row in rows:
            for start in row["answers"]["answer_start"]:
                if start > (size := len(row["context"])):
                    what = f"the answer starts at character {start} of a passage of {size}"
                    raise refuse(path, row.number, what)
            yield row


def _rows(path: Path, articles: Sequence[Any]) -> Iterator[Record]:
    number = 0
    for title, paragraph in _paragraphs(path, articles):
        for question in _list(path, number, paragraph, "qas"):
            number += 1
            yield _row(path, number, title, paragraph, question)


def _counts_bytes(rows: Sequence[Record]) -> bool:
    """Whether more answers stand where they should by bytes than by characters."""
    lead = 0
    for row in rows:
        if not row["context"].isascii():
            encoded = row["context"].encode()
            for text, start in zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True):
                at_character = start >= 0 and row["context"].startswith(text, start)
                lead += (start >= 0 and encoded.startswith(text.encode(), start)) - at_character
    return lead > 0


def _paragraphs(path: Path, articles: Sequence[Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for place, article in enumerate(articles):
        if not isinstance(article, dict) or not isinstance(article.get("paragraphs"), list):
            raise refuse(path, None, f"data[{place}] has no list `paragraphs`")
        for paragraph in article["paragraphs"]:
            yield article.get("title", ""), paragraph


def _row(
    path: Path, number: int, title: str, paragraph: Mapping[str, Any], question: Mapping[str, Any]
) -> Record:
    answers = [] if question.get("is_impossible") else _list(path, number, question, "answers")
    context = _text(path, number, paragraph, "context")
    return Record(
        {
            "id": _text(path, number, question, "id"),
            "title": title,
            "context": context,
            "question": _text(path, number, question, "question"),
            "answers": {
                "text": [_text(path, number, answer, "text") for answer in answers],
                "answer_start": [_start(path, number, answer) for answer in answers],
            },
        },
        path=path,
        number=number,
    )


def _list(path: Path, number: int, where: Any, key: str) -> list[Any]:
    if not isinstance(where, dict) or not isinstance(where.get(key), list):
        raise _missing(path, max(number, 1), key, "list")
    found: list[Any] = where[key]
    return found


def _text(path: Path, number: int, where: Any, key: str) -> str:
    if not isinstance(where, dict) or not isinstance(where.get(key), str):
        raise _missing(path, number, key, "text")
    found: str = where[key]
    return found


def _start(path: Path, number: int, answer: Any) -> int:
    start = answer.get("answer_start") if isinstance(answer, dict) else None
    if type(start) is not int:
        raise _missing(path, number, "answer_start", "whole number")
    return start


def _missing(path: Path, number: int, key: str, what: str) -> UserError:
    return refuse(path, number, f"no {what} `{key}`")
