"""What every example of a set must hold: texts, labels, ids, answers, and the language it is in."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from stilts.corpora.language_id import SCRIPTS, LanguageGuess
from stilts.tasks import Example, Task, metrics, types as task_types
from stilts.tasks.types import TaskType

_TELLING = 100
"""Examples among which every class must occur."""
_TOLERATED = 0.02
"""Share of examples with an empty text that published sets are known to have."""


@dataclass(slots=True)
class _Tally:
    """How often something was found, and where first."""

    count: int = 0
    first: str = ""

    def add(self, place: str) -> None:
        self.count += 1
        self.first = self.first or place

    def says(self, what: str) -> str:
        more = f" ({self.count:,} such)" if self.count > 1 else ""
        return f"{self.first}: {what}{more}"


@dataclass(slots=True)
class SetValidator:
    """Takes in the examples of a set, then tells what is wrong with them."""

    task: Task
    guesses: dict[str, LanguageGuess]
    """By the side of a pair of sentences in two languages; else one, under the empty name."""
    count: int = 0
    start: str = ""
    """Where the first example stands."""
    seen: set[str] = field(default_factory=set)
    """Labels."""
    ids: set[str] = field(default_factory=set)
    empty: _Tally = field(default_factory=_Tally)
    foreign: _Tally = field(default_factory=_Tally)
    twice: _Tally = field(default_factory=_Tally)
    flaws: dict[str, tuple[str, _Tally]] = field(default_factory=dict)
    """What its type finds wrong with an example, by name: the line, and how often."""

    def see(self, example: Example, place: str) -> None:
        """Takes in one example."""
        self.count += 1
        self.start = self.start or place
        if example["id"] in self.ids:
            self.twice.add(place)
        self.ids.add(example["id"])
        for side, guess in self.guesses.items():
            for text in [example[side]] if side else self._type.texts(example):
                self._see_text(text, guess, place)
        for name, line in self._type.flaws(example):
            self.flaws.setdefault(name, (line, _Tally()))[1].add(place)
        if self._type.labels_of:
            self.seen.update(self._type.labels_of(example))

    def faults(self) -> Iterator[str]:
        """What is wrong, one line each, with file and row of the first."""
        if self.twice.count:
            yield self.twice.says("an id that an example before it has")
        for name, (line, tally) in self.flaws.items():
            if name not in self._allowed:
                yield tally.says(line)
        if self.empty.count > _TOLERATED * self.count:
            yield self.empty.says("an empty text")
        if self.count >= _TELLING:
            yield from self._missing_labels()
        for guess in self.guesses.values():
            yield from self._wrong_language(guess)

    def notes(self) -> Iterator[str]:
        """What is odd, but not more so than published sets are."""
        if 0 < self.empty.count <= _TOLERATED * self.count:
            yield self.empty.says("an empty text")
        if 0 < self.foreign.count <= self._type.looks_foreign * self.count:
            yield self.foreign.says("looks like another language")
        if self.task.labels is None and self.seen:
            yield f"{len(self.seen):,} labels"

    @property
    def _type(self) -> TaskType:
        return task_types.load(self.task.type)

    @property
    def _allowed(self) -> tuple[str, ...]:
        """Flaws that belong to the task."""
        return metrics.load(self.task.metric).allows if self.task.metric else ()

    def _see_text(self, text: str, guess: LanguageGuess, place: str) -> None:
        if not text.strip():
            # Distractors of a mining pool have one side only.
            if not self._type.sides:
                self.empty.add(place)
        elif guess.add(text):
            self.foreign.add(place)

    def _missing_labels(self) -> Iterator[str]:
        yield from self._type.missing_labels(self.seen, self.task.labels or ())
        for name in self._allowed:
            count = self.flaws[name][1].count if name in self.flaws else 0
            if count in (0, self.count):
                yield f"examples that are {name} and others are expected"

    def _wrong_language(self, guess: LanguageGuess) -> Iterator[str]:
        share = guess.share()
        # Names and terms stay in Latin letters, most of all in technical texts.
        bar = (0.9 if guess.code not in SCRIPTS else 0.6) - self._type.other_script
        if guess.foreign > self._type.looks_foreign * self.count:
            yield self.foreign.says(f"not in {guess.code!r}")
        elif share is not None and share < bar:
            told = f"only {share:.0%} of the letters are in the script of {guess.code!r}"
            yield f"{self.start} and on: {told}"
        elif other := guess.reads_like():
            yield f"{self.start} and on: reads like {other!r}, not {guess.code!r}"


def validator(task: Task, *, language: str) -> SetValidator:
    """A watch over a set of a task in one language."""
    sides = task_types.load(task.type).sides
    codes = ("en", language) if sides else (language,)
    return SetValidator(task=task, guesses=dict(zip(sides or ("",), map(LanguageGuess, codes), strict=True)))
