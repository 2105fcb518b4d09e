"""Whether the sets of a study are what they promise: read row by row, each fault with its file and row."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from hpc.command import printable
from hpc.errors import UserError
from hpc.settings import read_toml
from stilts.corpora import translations
from stilts.corpora.required import RequiredSet
from stilts.corpora.validation import validator
from stilts.data.formats import Record
from stilts.data.reading import examples_of
from stilts.data.sources import Chosen, Source, choose
from stilts.tasks import Row, Task, untranslated

Extent = Literal["whole", "sample"]
"""`sample`: a few examples of each set; neither sizes nor missing languages are held against it."""

TOLERANCE = 0.01
"""Share by which a size may differ from the published one: copies differ in a few damaged rows."""

_KNOWN = Path(__file__).parent / "known_sizes.toml"
_TELL_EVERY = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """How a set stands."""

    need: RequiredSet
    state: Literal["ok", "wrong", "missing"]
    source: str = ""
    count: int = 0
    """Examples with a usable label."""
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What is odd but published so, or within what is tolerated."""


def check(
    need: RequiredSet,
    *,
    sources: Sequence[str],
    extent: Extent,
    limit: int | None = None,
    tell: Callable[[int], None] = lambda _: None,
) -> Checked:
    """Reads a set and holds it against what its task says.

    Args:
        need: the set.
        sources: where to look, in this order.
        extent: whether published sizes are expected.
        limit: rows read at most; for the generator, which has no end.
        tell: told the number of examples read so far now and then.
    """
    try:
        chosen = choose(need.task, language=need.language, split=need.split, sources=sources)
    except UserError as problem:
        return Checked(need=need, state="missing", faults=(_reason(str(problem), need, sources),))
    followed = _Followed(chosen.source, need.task)
    watched = validator(need.task, language=need.language)
    count = 0
    faults: list[str] = []
    try:
        for example in examples_of(
            Chosen(name=chosen.name, version=chosen.version, source=followed),
            need.task,
            language=need.language,
            split=need.split,
            limit=limit,
            seed=0,
        ):
            count += 1
            watched.see(example, followed.place)
            if count % _TELL_EVERY == 0:
                tell(count)
    except UserError as problem:
        faults.append(str(problem))
    else:
        faults += [] if count else ["no example"]
    faults += [*followed.faults(), *watched.faults()]
    notes = [*watched.notes()]
    if not faults and chosen.name != "embedded" and extent == "whole":
        _compare_size(need, count, faults, notes)
    if not faults:
        _compare_translation(need, sources, limit, faults, notes)
    return Checked(
        need=need,
        state="wrong" if faults else "ok",
        source=chosen.name,
        count=count,
        faults=tuple(faults),
        notes=tuple(notes),
    )


@cache
def known_sizes() -> dict[str, dict[str, str]]:
    """Where each published size is from, by task and set."""
    return {task: dict(sets) for task, sets in read_toml(_KNOWN).items()}


def _compare_size(need: RequiredSet, count: int, faults: list[str], notes: list[str]) -> None:
    """Holds the number of examples against the published one."""
    published = need.task.size_of(split=need.split, language=need.language)
    if published is None:
        notes.append("no published size to hold it against")
    elif abs(count - published) > TOLERANCE * published:
        where = known_sizes().get(need.task.name, {}).get(need.split, "unknown source")
        faults.append(f"{count:,} examples, {published:,} are published ({where})")
    elif count != published:
        notes.append(f"{published:,} are published")


def _compare_translation(
    need: RequiredSet, sources: Sequence[str], limit: int | None, faults: list[str], notes: list[str]
) -> None:
    """Holds a machine translation against the English set, if it is one."""
    name = untranslated(need.task.name)
    if name == need.task.name:
        return
    try:
        compared = translations.compare(name, need.language, sources=sources, limit=limit)
    except UserError as problem:  # the translations themselves have just been read
        notes.append(f"not compared with the English set: {problem}")
    else:
        faults += compared.faults
        notes += compared.notes


def _reason(problem: str, need: RequiredSet, sources: Sequence[str]) -> str:
    """Without what the line says already."""
    reason = problem.removeprefix(f"no data for {need.name}: ")
    return reason.removeprefix(f"{sources[0]}: ") if len(sources) == 1 else reason


class _Followed:
    """A source that remembers the row it handed out last, so that a fault can be placed."""

    def __init__(self, source: Source, task: Task) -> None:
        self._source = source
        self._task = task
        self._row: Row = {}
        self._number = 0
        self._silent = 0
        self._speaking = 0
        self._first_silent = ""

    @property
    def place(self) -> str:
        """File and row."""
        return self._row.place if isinstance(self._row, Record) else f"row {self._number}"

    def faults(self) -> Iterator[str]:
        """Rows without a language among rows that have one would be read in every language."""
        if self._silent and self._speaking:
            others = f"{self._silent} such among {self._speaking} that do"
            yield f"{self._first_silent}: does not say its language ({others})"

    def rows(self, task: Task, *, language: str, split: str, limit: int | None, seed: int) -> Iterator[Row]:
        """See `stilts.data.sources.Source`."""
        rows = self._source.rows(task, language=language, split=split, limit=limit, seed=seed)
        for self._number, self._row in enumerate(rows, start=1):
            if task.language_of is not None:
                self._note_language(task.language_of(self._row))
            yield self._row

    def version(self, task: Task, *, language: str, split: str) -> str:
        """See `stilts.data.sources.Source`."""
        return self._source.version(task, language=language, split=split)

    def labels(self, task: Task) -> tuple[str, ...] | None:
        """See `stilts.data.sources.Source`."""
        return self._source.labels(task)

    def size(self, task: Task, *, language: str, split: str) -> int | None:
        """See `stilts.data.sources.Source`."""
        return self._source.size(task, language=language, split=split)

    def _note_language(self, spoken: str) -> None:
        if spoken:
            self._speaking += 1
        else:
            self._silent += 1
            self._first_silent = self._first_silent or self.place


def summary(results: Sequence[Checked], *, extent: Extent) -> tuple[str, int]:
    """What to say at the end, and the exit code: 1 where something is wrong, 3 where something is missing.

    In a sample a missing language or set does not count as long as its task has another one.
    """
    states = {state: [one for one in results if one.state == state] for state in ("ok", "wrong", "missing")}
    there = {one.need.task.name for one in results if one.state != "missing"}
    lacking = [
        one
        for one in states["missing"]
        if not one.need.optional and not (extent == "sample" and one.need.task.name in there)
    ]
    words = ", ".join(f"{len(some)} {state}" for state, some in states.items())
    examples = sum(one.count for one in results)
    text = f"{len(results)} sets: {words}; {examples:,} examples"
    if extent == "sample":
        text += "; a sample: neither sizes nor missing languages count"
    if len(lacking) < len(states["missing"]):
        text += f"; {len(states['missing']) - len(lacking)} of the missing ones are not required"
    return text, 1 if states["wrong"] else 3 if lacking else 0


def missing_lines(results: Sequence[Checked]) -> Iterator[str]:
    """A line for each set of a task that is missing in the same way, with its languages."""
    groups: dict[tuple[str, str], list[Checked]] = {}
    for one in results:
        if one.state == "missing":
            groups.setdefault((one.need.task.name, one.need.split), []).append(one)
    for (task, split), group in groups.items():
        languages = " ".join(one.need.language for one in group)
        yield f"{task} {split} ({languages}): {printable(group[0].faults[0])}"
