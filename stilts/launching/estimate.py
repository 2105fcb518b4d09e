"""How long a run will take: what the cluster file says, corrected by the runs of its kind that are done."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hpc.cluster import Pace
from stilts.run import outputs
from stilts.run.folder import RunFolder
from stilts.run.specs import RunSpec

# Only to order the runs of a plan about which nothing is known yet.
_NOMINAL = Pace(seconds=5.0, tokens_per_second=5000.0)


@dataclass(frozen=True, slots=True)
class Estimator:
    """Predicts the seconds of runs."""

    paces: Mapping[str, Pace]
    """By stage, from the cluster file."""
    corrections: Mapping[str, float]
    """By stage: seconds that finished runs took, over those predicted."""

    def seconds(self, spec: RunSpec) -> float | None:
        """The expected time, or None when nothing is known about its stage."""
        if spec.stage in self.paces or spec.stage in self.corrections:
            return self.cost(spec)
        return None

    def cost(self, spec: RunSpec) -> float:
        """Seconds too, but a guess rather than nothing."""
        pace = self.paces.get(spec.stage, _NOMINAL)
        return pace.predict(spec.tokens) * self.corrections.get(spec.stage, 1.0)


def learn(done: Iterable[tuple[RunSpec, RunFolder]], paces: Mapping[str, Pace]) -> Estimator:
    """An estimator that knows the runs that are done."""
    took: dict[str, float] = defaultdict(float)
    predicted: dict[str, float] = defaultdict(float)
    for spec, folder in done:
        took[spec.stage] += outputs.read_done(folder.path).seconds
        predicted[spec.stage] += paces.get(spec.stage, _NOMINAL).predict(spec.tokens)
    corrections = {stage: took[stage] / seconds for stage, seconds in predicted.items() if seconds > 0}
    return Estimator(paces, corrections)


def say_seconds(seconds: float) -> str:
    """A duration as people say it."""
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
