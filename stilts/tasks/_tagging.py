"""Sentences with one tag a word; tags as names, or as numbers into the data set's own list of names."""

from collections.abc import Sequence
from typing import Any

from hpc.errors import unknown_name
from stilts.tasks import Example, Row
from stilts.tasks._columns import as_list, as_text, identity, texts


def read_tags(row: Row, *, column: str, labels: Sequence[str] | None) -> Example | None:
    """A sentence; None when it has no words. Without `labels` the tags have to be names."""
    tokens = texts(row, "tokens")
    tags = [_name(tag, labels or (), column) for tag in as_list(row[column], column)]
    if len(tags) != len(tokens):
        raise ValueError(f"{len(tokens)} words but {len(tags)} tags in {' '.join(tokens)!r}")
    for tag in tags:
        if labels is not None and tag not in labels:
            raise unknown_name("tag", tag, labels, where=column)
    return {"id": identity(row, "id"), "tokens": tokens, "tags": tags} if tokens else None


def _name(tag: Any, labels: Sequence[str], column: str) -> str:
    if not isinstance(tag, int) or isinstance(tag, bool):
        return as_text(tag, column)
    return labels[tag] if 0 <= tag < len(labels) else str(tag)
