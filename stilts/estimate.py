"""How long a run will take: from runs of its kind that are done, else from the cluster file's rates."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stilts.runs import RunFolder, RunSpec

# Only to order the runs of a plan about which nothing is known yet.
_NOMINAL_SECONDS, _NOMINAL_RATE = 5.0, 5000.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """Seconds and tokens of finished runs of one kind."""

    seconds: float = 0.0
    tokens: int = 0
    runs: int = 0

    def predict(self, tokens: int) -> float:
        """Seconds for a run of so many tokens."""
        if self.tokens and tokens:
            return tokens * self.seconds / self.tokens
        return self.seconds / self.runs


@dataclass(frozen=True, slots=True)
class Estimator:
    """Predicts the seconds of runs."""

    paces: Mapping[str, Pace]
    rates: Mapping[str, float]
    """Tokens a second by kind, from the cluster file."""

    def seconds(self, spec: RunSpec) -> float | None:
        """The expected time, or None when nothing is known about its kind."""
        if spec.kind in self.paces:
            return self.paces[spec.kind].predict(spec.tokens)
        if spec.kind in self.rates and spec.tokens:
            return spec.tokens / self.rates[spec.kind]
        return None

    def cost(self, spec: RunSpec) -> float:
        """Seconds too, but a guess rather than nothing."""
        known = self.seconds(spec)
        return _NOMINAL_SECONDS + spec.tokens / _NOMINAL_RATE if known is None else known


def learn(done: Iterable[tuple[RunSpec, RunFolder]], rates: Mapping[str, float]) -> Estimator:
    """An estimator that knows the runs that are done."""
    seen: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for spec, folder in done:
        seen[spec.kind].append((float(json.loads(folder.done.read_text())["seconds"]), spec.tokens))
    paces = {
        kind: Pace(
            seconds=sum(seconds for seconds, _ in runs),
            tokens=sum(tokens for _, tokens in runs),
            runs=len(runs),
        )
        for kind, runs in seen.items()
    }
    return Estimator(paces=paces, rates=rates)


def say_seconds(seconds: float) -> str:
    """A duration as people say it."""
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
