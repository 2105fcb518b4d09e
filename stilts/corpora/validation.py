"""What every example of a set must hold: texts, labels, ids, answers, and the language it is in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from stilts.corpora.language_id import SCRIPTS, Tongue
from stilts.tasks import Example, Task, types as task_types

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
class Watch:
    """Takes in the examples of a set, then tells what is wrong with them."""

    task: Task
    tongues: dict[str, Tongue]
    """By the side of a pair of sentences in two languages; else one, under the empty name."""
    count: int = 0
    start: str = ""
    """Where the first example stands."""
    answered: int = 0
    seen: set[str] = field(default_factory=set)
    """Labels."""
    ids: set[str] = field(default_factory=set)
    empty: _Tally = field(default_factory=_Tally)
    foreign: _Tally = field(default_factory=_Tally)
    twice: _Tally = field(default_factory=_Tally)
    misplaced: _Tally = field(default_factory=_Tally)
    unanswered: _Tally = field(default_factory=_Tally)

    def see(self, example: Example, place: str) -> None:
        """Takes in one example."""
        self.count += 1
        self.start = self.start or place
        if example["id"] in self.ids:
            self.twice.add(place)
        self.ids.add(example["id"])
        for side, tongue in self.tongues.items():
            for text in [example[side]] if side else task_types.load(self.task.type).texts(example):
                self._see_text(text, tongue, place)
        if self.task.type == "span":
            self._see_answers(example, place)
        elif self.task.type == "tag":
            self.seen.update(example["tags"])
        elif self.task.type in ("classify", "choice"):
            self.seen.add(str(example["label"]))

    def faults(self) -> Iterator[str]:
        """What is wrong, one line each, with file and row of the first."""
        if self.twice.count:
            yield self.twice.says("an id that an example before it has")
        if self.misplaced.count:
            yield self.misplaced.says("the answer is not in its passage")
        if self.unanswered.count and self.task.scorer != "squad_v2":
            yield self.unanswered.says("the question has no answer")
        if self.empty.count > _TOLERATED * self.count:
            yield self.empty.says("an empty text")
        if self.count >= _TELLING:
            yield from self._missing_labels()
        for tongue in self.tongues.values():
            yield from self._wrong_language(tongue)

    def notes(self) -> Iterator[str]:
        """What is odd, but not more so than published sets are."""
        if 0 < self.empty.count <= _TOLERATED * self.count:
            yield self.empty.says("an empty text")
        if 0 < self.foreign.count <= self._foreign_bar * self.count:
            yield self.foreign.says("looks like another language")
        if self.task.labels is None and self.seen:
            yield f"{len(self.seen):,} labels"

    @property
    def _foreign_bar(self) -> float:
        # Lists of names in Wikipedia, which named entities are cut from, are often in Latin letters.
        return 0.5 if self.task.type == "tag" else 0.1

    def _see_text(self, text: str, tongue: Tongue, place: str) -> None:
        if not text.strip():
            # Distractors of a mining pool have one side only.
            if self.task.type != "retrieve":
                self.empty.add(place)
        elif tongue.add(text):
            self.foreign.add(place)

    def _see_answers(self, example: Example, place: str) -> None:
        if not example["answers"]:
            self.unanswered.add(place)
        else:
            self.answered += 1
        if any(answer["start"] < 0 for answer in example["answers"]):
            self.misplaced.add(place)

    def _missing_labels(self) -> Iterator[str]:
        expected: Sequence[str] = self.task.labels or ()
        if self.task.type == "classify":
            missing = [name for number, name in enumerate(expected) if str(number) not in self.seen]
            if missing:
                yield f"no example is labelled {', '.join(missing)}"
        elif self.task.type == "choice" and len(self.seen) < 2:
            yield "the right answer always stands at the same place"
        elif self.task.type == "tag" and 2 * len(self.seen) < len(expected):
            yield f"only {len(self.seen)} of {len(expected)} tags occur: {', '.join(sorted(self.seen))}"
        elif self.task.scorer == "squad_v2" and not (self.unanswered.count and self.answered):
            yield "questions with and without an answer are expected"

    def _wrong_language(self, tongue: Tongue) -> Iterator[str]:
        share = tongue.share()
        # Names and terms stay in Latin letters, most of all in technical texts.
        bar = 0.9 if tongue.code not in SCRIPTS else 0.6
        if self.task.type == "tag":
            bar -= 0.3
        if tongue.foreign > self._foreign_bar * self.count:
            yield self.foreign.says(f"not in {tongue.code!r}")
        elif share is not None and share < bar:
            told = f"only {share:.0%} of the letters are in the script of {tongue.code!r}"
            yield f"{self.start} and on: {told}"
        elif other := tongue.reads_like():
            yield f"{self.start} and on: reads like {other!r}, not {tongue.code!r}"


def watch(task: Task, *, language: str) -> Watch:
    """A watch over a set of a task in one language."""
    if task.type == "retrieve":
        return Watch(task=task, tongues={"english": Tongue("en"), "foreign": Tongue(language)})
    return Watch(task=task, tongues={"": Tongue(language)})
