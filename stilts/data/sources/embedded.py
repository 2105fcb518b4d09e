"""Data that comes with the program: generated sentences, and translations in Django's message catalogues."""

from collections.abc import Iterator
from functools import cache
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any, Literal, cast

from hpc.errors import UserError
from stilts.data import versions
from stilts.embedded import catalogue, microworld
from stilts.embedded.microworld import abroad
from stilts.tasks import Row, Task, untranslated

UNLIMITED = {"train": 10_000, "dev": 1000, "test": 1000}
"""Rows of a generated set that is read without a limit."""

_SAMPLE = 1000


def version(task: Task, *, language: str, split: str) -> str:
    """Hash of the code that makes the rows; with Django's version where they are its translations."""
    if next(rows(task, language=language, split=split, limit=1, seed=0), None) is None:
        raise UserError(f"nothing in {language!r}", code=3)
    if task.name in ("bucc2018", "tatoeba"):
        return f"django {installed('django')}, {versions.of_code(Path(catalogue.__file__))}"
    return versions.of_code(Path(microworld.__file__).parent)


def rows(task: Task, *, language: str, split: str, limit: int | None, seed: int) -> Iterator[Row]:
    """Rows of the generator, or of the catalogues, which know no seed."""
    if task.name == "bucc2018":
        yield from _pool(language, cast("Literal['dev', 'test']", split), limit)
    elif task.name == "tatoeba":
        yield from cast("list[Row]", catalogue.tatoeba_rows(language, limit))
    elif task.trains_in != ("en",):
        yield from _abroad(task, language, UNLIMITED[split] if limit is None else limit, seed)
    else:
        count = UNLIMITED[split] if limit is None else limit
        yield from microworld.rows(task.name, language=language, split=split, limit=count, seed=seed)


@cache
def labels(task: Task) -> tuple[str, ...]:
    """What the generator's grammar has: all categories occur long before so many sentences."""
    rows = microworld.rows(task.name, language="en", split="train", limit=_SAMPLE, seed=0)
    return tuple(sorted({tag for row in rows for tag in row["tags"]}))


def size(task: Task, *, language: str, split: str) -> int | None:
    """Pairs in the catalogues; None for the generator, which has no end."""
    if task.name == "bucc2018":
        return len(catalogue.bucc_pools(language, cast("Literal['dev', 'test']", split))["gold"])
    return len(catalogue.pairs(language)) if task.name == "tatoeba" else None


def _abroad(task: Task, language: str, count: int, seed: int) -> list[dict[str, Any]]:
    """Text, or a training set in translation."""
    if task.role == "text":
        return abroad.prose(language=language, limit=count, seed=seed)
    return abroad.translations(untranslated(task.name), language=language, limit=count, seed=seed)


def _pool(language: str, split: Literal["dev", "test"], limit: int | None) -> Iterator[Row]:
    """The pairs, then the distractors of either side with the other side empty.

    A limit counts pairs; distractors all stay, since fewer of them would make mining easier.
    """
    pools = catalogue.bucc_pools(language, split)
    foreign, english = dict(pools["foreign"]), dict(pools["english"])
    for foreign_id, english_id in pools["gold"][:limit]:
        yield _row(foreign_id, foreign[foreign_id], english_id, english[english_id])
    paired = {name for pair in pools["gold"] for name in pair}
    yield from (_row(name, text, "", "") for name, text in foreign.items() if name not in paired)
    yield from (_row("", "", name, text) for name, text in english.items() if name not in paired)


def _row(foreign_id: str, foreign: str, english_id: str, english: str) -> dict[str, Any]:
    """A row of google/xtreme's `bucc18.<code>`, whose language columns hold sentence ids."""
    return {
        "source_sentence": foreign,
        "target_sentence": english,
        "source_lang": foreign_id,
        "target_lang": english_id,
    }
