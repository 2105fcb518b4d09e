"""What a run will take: time, memory and disk, from shapes and what is known of the cluster.

A cluster file says how fast its stages are, or what device its ranks have; runs of a stage that are done
correct both. Whatever is assumed is said beside the figures (`assumptions`).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from hpc.cluster import Cluster, Pace
from hpc.zero import Memory, Zero
from stilts import tasks
from stilts.launching.shapes import shape_of as machine_of
from stilts.model import costs
from stilts.model.config import EncoderConfig
from stilts.model.known import shape_of
from stilts.run import outputs
from stilts.run.folder import RunFolder
from stilts.run.specs import EvaluateSpec, RunSpec, TrainSpec
from stilts.study.config import Study
from stilts.study.grid.builder import examples_a_batch, tokens_an_example

# Only to order the runs of a plan about which nothing is known yet.
_NOMINAL = Pace(seconds=5.0, tokens_per_second=5000.0)
_START = 120.0
"""Seconds of a run on a cluster beside its steps: start, reading, weights."""
_OTHERS = 300.0
"""Seconds of a run that neither trains nor evaluates."""
_LARGEST = 1.5
"""The largest batch, in tokens, over the mean one."""
_LENGTH = 128
"""Tokens of a sequence, for what attention costs."""


@dataclass(frozen=True, kw_only=True)
class Estimator:
    """Predicts what runs take."""

    study: Study
    cluster: Cluster
    corrections: Mapping[str, float]
    """By stage: seconds that finished runs took, over those predicted."""

    @cached_property
    def shape(self) -> EncoderConfig | None:
        """The encoder's, where it is known."""
        return shape_of(self.study.model)

    def seconds(self, spec: RunSpec) -> float | None:
        """The expected wall time, or None when nothing is known about its stage."""
        if self._pace(spec) is not None or spec.stage in self.corrections:
            return self.cost(spec)
        return None

    def cost(self, spec: RunSpec) -> float:
        """Seconds too, but a guess rather than nothing."""
        pace = self._pace(spec) or _NOMINAL
        return pace.predict(spec.tokens) * self.corrections.get(spec.stage, 1.0)

    def ranks(self, spec: RunSpec) -> int:
        """Devices it is computed on."""
        return machine_of(spec, self.cluster).ranks

    def zero(self, spec: RunSpec) -> Zero | None:
        """How a training run is laid out; None of others, or where the encoder's shape is not known."""
        asked, memory = spec.asked, self.memory(spec)
        if not isinstance(asked, TrainSpec) or memory is None:
            return None
        ranks = self.ranks(spec)
        if ranks == 1 or self.cluster.device is None:
            return asked.zero
        return asked.zero.settled(
            memory,
            world_size=ranks,
            device_bytes=self.cluster.device.memory_gb * 1e9,
            most=2 if asked.text else 3,
        )

    def memory(self, spec: RunSpec) -> Memory | None:
        """What a training run keeps on its devices; None of others, or where the shape is not known."""
        asked = spec.asked
        if not isinstance(asked, TrainSpec) or self.shape is None:
            return None
        tokens = self._largest_batch(asked) // self.ranks(spec)
        tokens = min(tokens, asked.zero.tokens_per_pass or tokens)
        return costs.memory(
            self.shape,
            costs.Pass(tokens=tokens, hidden=int(tokens * asked.text.masked) if asked.text else 0),
            asked.zero,
            frozen=("encoder",) if asked.phase == "heads" else asked.optimisation.frozen,
            dropout=asked.optimisation.dropout > 0,
            pads=self.cluster.device is None,
        )

    def held(self, spec: RunSpec) -> int | None:
        """Bytes on one device at most."""
        memory, zero = self.memory(spec), self.zero(spec)
        return memory.bytes(zero, world_size=self.ranks(spec)) if memory and zero else None

    def weights(self, spec: RunSpec) -> int:
        """Bytes on disk that a run leaves for good."""
        asked = spec.asked
        if self.shape is None or not isinstance(asked, TrainSpec):
            return 0
        trained, still = costs.parameters(self.shape, asked.optimisation.frozen)
        small = asked.zero.precision != "fp32" and not asked.zero.keep_fp32
        return (trained + still) * (2 if small else 4)

    def checkpoints(self, spec: RunSpec) -> int:
        """Bytes on disk while it runs: two checkpoints, and the best weights of each."""
        memory = self.memory(spec)
        return 2 * (12 * memory.trained + self.weights(spec)) if memory else 0

    def assumptions(self) -> Iterator[str]:
        """What the figures rest on."""
        device = self.cluster.device
        if self.cluster.pace:
            yield "times as the cluster file has them"
        elif device is not None:
            yield (
                f"{device.tflops:g} TFLOP/s of {device.name} at {100 * device.utilisation:g} %, "
                f"{_START:g} s a run beside its steps, {_OTHERS / 60:g} min for what neither trains nor "
                "evaluates"
            )
        if self.corrections:
            yield f"corrected by what is done: {', '.join(sorted(self.corrections))}"
        made = "embedded" if self.study.sources[0] == "embedded" else "published"
        yield f"lengths of the {made} sets, the largest batch half as large again as the mean"

    def _largest_batch(self, asked: TrainSpec) -> int:
        found = []
        for name in asked.tasks:
            own = self.study.optimisation_of(name)
            settings = own if asked.optimisation.batches == "own" else asked.optimisation
            task = tasks.load(name)
            mean = examples_a_batch(self.study, task, settings) * tokens_an_example(self.study, task)
            found.append(float(settings.tokens_per_batch or _LARGEST * mean))
        if asked.text is not None and asked.optimisation.examples_per_batch:
            found.append(float(asked.optimisation.examples_per_batch * asked.text.block))
        return int(max(found))

    def _pace(self, spec: RunSpec) -> Pace | None:
        """As the cluster file says, else by the device."""
        if spec.stage in self.cluster.pace:
            return self.cluster.pace[spec.stage]
        device, shape, asked = self.cluster.device, self.shape, spec.asked
        if device is None or shape is None:
            return None
        if isinstance(asked, TrainSpec):
            frozen = ("encoder",) if asked.phase == "heads" else asked.optimisation.frozen
            operations = costs.training_flops(shape, frozen, length=_LENGTH)
        elif isinstance(asked, EvaluateSpec):
            operations = shape.forward_flops([_LENGTH]) / _LENGTH
        else:
            return Pace(seconds=_OTHERS)
        rate = device.tflops * 1e12 * device.utilisation * self.ranks(spec)
        return Pace(seconds=_START, tokens_per_second=rate / operations)


def learn(done: Iterable[tuple[RunSpec, RunFolder]], study: Study, cluster: Cluster) -> Estimator:
    """An estimator that knows the runs that are done."""
    blank = Estimator(study=study, cluster=cluster, corrections={})
    took: dict[str, float] = defaultdict(float)
    predicted: dict[str, float] = defaultdict(float)
    for spec, folder in done:
        took[spec.stage] += outputs.read_done(folder.path).seconds
        predicted[spec.stage] += blank.cost(spec)
    corrections = {stage: took[stage] / seconds for stage, seconds in predicted.items() if seconds > 0}
    return Estimator(study=study, cluster=cluster, corrections=corrections)


def say_seconds(seconds: float) -> str:
    """A duration as people say it."""
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 1000 * 3600 else f"{seconds / 3600:,.0f} h"


def say_bytes(count: float) -> str:
    """An amount of memory or disk as people say it."""
    for unit, size in (("TB", 1e12), ("GB", 1e9)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count / 1e6:.3g} MB"
