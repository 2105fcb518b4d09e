"""Sentences with one tag a word; tags as names, or as numbers into the data set's own list of names."""

from collections.abc import Sequence

from hpc.errors import unknown_name
from stilts.tasks import Example, Row


def read_tags(row: Row, *, column: str, labels: Sequence[str] | None) -> Example | None:
    """A sentence; None when it has no words. Without `labels` the tags have to be names."""
    tokens = list(row["tokens"])
    tags = [_name(tag, labels or ()) for tag in row[column]]
    if len(tags) != len(tokens):
        raise ValueError(f"{len(tokens)} words but {len(tags)} tags in {' '.join(tokens)!r}")
    for tag in tags:
        if labels is not None and tag not in labels:
            raise unknown_name("tag", tag, labels, where=column)
    return {"id": str(row.get("id", "")), "tokens": tokens, "tags": tags} if tokens else None


def _name(tag: str | int, labels: Sequence[str]) -> str:
    if isinstance(tag, str):
        return tag
    return labels[tag] if 0 <= tag < len(labels) else str(tag)
