"""Whether a phase learns: gradients left out, losses that jump, heads never drawn, answers all alike.

Some of it ends a run, the rest is told beside its numbers.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

SKIPPED = 0.05
"""Share of a phase's updates that may be left out for gradients that are not finite; one always may."""
_MEMORY = 0.02
"""Weight of the newest loss in the running mean and variance of its stream."""
_WARM = 50
"""Losses of a stream before one of them can be a spike."""
_DEVIATIONS = 6.0
_ALIKE = 10
"""Answers that have to be there before they can be called all alike."""


@dataclass(kw_only=True)
class Course:
    """Running statistics of a stream's losses."""

    seen: int = 0
    mean: float = 0.0
    variance: float = 0.0


@dataclass(kw_only=True)
class Health:
    """What was noticed so far; its state goes into checkpoints."""

    skipped: int = 0
    spikes: int = 0
    alike: dict[str, str] = field(default_factory=dict)
    """Answer that a task's dev set got throughout, at the evaluation whose weights are kept."""
    courses: dict[str, Course] = field(default_factory=dict)

    def loss(self, stream: str, value: float) -> bool:
        """Takes a finite loss in; returns whether it is a spike: far above what the stream had of late."""
        course = self.courses.setdefault(stream, Course())
        deviation = math.sqrt(course.variance)
        is_spike = (
            course.seen >= _WARM
            and value > course.mean + _DEVIATIONS * deviation
            and value > 1.5 * course.mean
        )
        self.spikes += is_spike
        weight = max(_MEMORY, 1 / (course.seen + 1))
        step = value - course.mean
        course.mean += weight * step
        course.variance = (1 - weight) * (course.variance + weight * step * step)
        course.seen += 1
        return is_spike

    def skip(self, norm: float, *, step: int, steps: int, searching: int = 0) -> None:
        """Counts an update that was left out.

        Args:
            norm: of its gradient.
            step: updates taken before.
            steps: updates of the phase.
            searching: how many more may be left out, as where the scale of fp16 is sought.

        Raises:
            ArithmeticError: too many were.
        """
        self.skipped += 1
        allowed = max(1, int(SKIPPED * steps)) + searching
        if self.skipped > allowed:
            raise ArithmeticError(
                f"{self.skipped} gradients were not finite (norm {norm}) by step {step + 1} of {steps}, "
                f"{allowed} may be: lower learning_rate or raise warmup, or train in fp32"
            )

    def notes(self, undrawn: Iterable[str]) -> list[str]:
        """What a reader of the run's numbers should know, given the heads that no step has trained."""
        found = [f"{task} answers {answer} throughout" for task, answer in self.alike.items()]
        found += [f"{head} was never drawn" for head in undrawn]
        return found + ([f"{self.spikes} spikes of the loss"] if self.spikes else [])

    def state(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "Health":
        """What `state` gave."""
        courses = {name: Course(**one) for name, one in state["courses"].items()}
        return cls(**{**state, "courses": courses})


def alike(predictions: Sequence[Any]) -> str | None:
    """The answer that all predictions are, as where a head has collapsed; None where they differ."""
    flat = [each for one in predictions for each in (one if isinstance(one, list | tuple) else [one])]
    if len(flat) < _ALIKE or any(each != flat[0] for each in flat[1:]):
        return None
    return repr(flat[0])
