"""Whether translations of a training set are what they should be, held against the English rows.

A file of translations is described in `stilts.tasks._translated`. `compare` reads it whole and tells, with
file and row: rows without an English counterpart, twice the same, another label, another number of choices,
an answer that is not in its passage, empty texts, rows left in English; and a file in the wrong language or
with rows missing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from stilts import tasks
from stilts.corpora.language_id import LanguageGuess
from stilts.data.formats import Record
from stilts.data.reading import examples_of, read
from stilts.data.sources import Chosen, Source, choose
from stilts.tasks import Example, Row, Task, types as task_types

TOLERANCE = 0.01
"""Share of the English rows that may be missing, and of the translations that may equal the English text."""
_SCRIPT = 0.7
"""Share of the letters that belong to the language's script, at least: names may stay as they are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """How translations stand to their English set."""

    count: int
    english: int
    """Rows of the English set."""
    faults: tuple[str, ...]
    notes: tuple[str, ...]
    """What is odd, within what is tolerated."""


def compare(name: str, language: str, *, sources: Sequence[str], limit: int | None = None) -> Compared:
    """Holds the translations of a task's training set against the English rows.

    Args:
        name: the task.
        language: of the translations.
        sources: where both are looked for, in this order.
        limit: rows read of either, for sets without an end.

    Raises:
        UserError: a set is missing, or a row cannot be read.
    """
    english = {
        _bare(example["id"], name): example
        for example in read(name, language="en", split="train", sources=sources, limit=limit)
    }
    task = tasks.load(tasks.translated(name))
    found = _Findings()
    guess = LanguageGuess(language)
    seen: set[str] = set()
    for place, example in _placed(task, language, sources, limit):
        origin = english.get(example["id"])
        if origin is None:
            found.add("unknown", place, f"source_id {example['id']!r} is no English row")
            continue
        if example["id"] in seen:
            found.add("twice", place, f"source_id {example['id']!r} came before")
        seen.add(example["id"])
        _compare(task, example, origin, place, found)
        for text in task_types.load(task.type).texts(example):
            guess.add(text)
    return _conclude(found, guess, seen=len(seen), english=len(english))


class _Findings:
    """How often something was found, and where first."""

    def __init__(self) -> None:
        self.first: dict[str, str] = {}
        self.count: dict[str, int] = {}

    def add(self, kind: str, place: str, what: str) -> None:
        self.first.setdefault(kind, f"{place}: {what}")
        self.count[kind] = self.count.get(kind, 0) + 1

    def line(self, kind: str) -> str:
        count = self.count[kind]
        return self.first[kind] + (f" ({count:,} such)" if count > 1 else "")


def _compare(task: Task, example: Example, origin: Example, place: str, found: _Findings) -> None:
    kind = task_types.load(task.type)
    texts, before = list(kind.texts(example)), list(kind.texts(origin))
    if any(old.strip() and not new.strip() for new, old in zip(texts, before, strict=False)):
        found.add("empty", place, "an empty text")
    elif texts == before:
        found.add("same", place, "the English text itself")
    for name, told in kind.mistranslated(example, origin, task.labels or ()):
        found.add(name, place, told)


def _conclude(found: _Findings, guess: LanguageGuess, *, seen: int, english: int) -> Compared:
    tolerated = {"same": TOLERANCE * max(seen, 1)}
    faults = [found.line(kind) for kind in found.first if found.count[kind] > tolerated.get(kind, 0)]
    notes = [found.line(kind) for kind in found.first if found.count[kind] <= tolerated.get(kind, 0)]
    share, other = guess.share(), guess.reads_like()
    if share is not None and share < _SCRIPT:
        faults.append(f"only {share:.0%} of the letters are in the script of {guess.code!r}")
    elif other is not None:
        faults.append(f"reads like {other!r}, not {guess.code!r}")
    missing = english - seen
    if missing > TOLERANCE * english:
        faults.append(f"{seen:,} of {english:,} English rows are translated")
    elif missing:
        notes.append(f"{missing:,} of {english:,} English rows are not translated")
    return Compared(count=seen, english=english, faults=tuple(faults), notes=tuple(notes))


def _bare(example_id: str, name: str) -> str:
    """The number alone of an id that was made from it, for rows without one."""
    return example_id.removeprefix(f"{name}-en-train-")


def _placed(
    task: Task, language: str, sources: Sequence[str], limit: int | None
) -> Iterator[tuple[str, Example]]:
    """Examples with the file and row of each."""
    actual = task.set_of(split="train", language=language)
    chosen = choose(task, language=language, split=actual, sources=sources)
    last = _Last(chosen.source)
    followed = Chosen(name=chosen.name, version=chosen.version, source=cast("Source", last))
    for example in examples_of(followed, task, language=language, split=actual, limit=limit, seed=0):
        yield last.place, example


class _Last:
    """Rows of a source; knows which one was handed out last."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._row: Row = {}
        self._number = 0

    @property
    def place(self) -> str:
        return self._row.place if isinstance(self._row, Record) else f"row {self._number}"

    def rows(self, task: Task, **asked: Any) -> Iterator[Mapping[str, Any]]:
        for number, row in enumerate(self._source.rows(task, **asked), start=1):
            self._number, self._row = number, row
            yield row
