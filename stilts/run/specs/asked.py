"""What each stage is asked: one frozen class a stage.

A new stage is a class here (`stages` finds it), a function that carries it out, and a place in a grid.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from hpc.zero import Zero
from stilts.run.settings import (
    Baseline,
    Deploy,
    Evaluation,
    Latency,
    Limits,
    Model,
    Optimisation,
    Pooling,
    Precision,
    Retrieval,
    Rules,
)

Phase = Literal["single", "multi", "target", "joint", "heads"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """What every stage is asked."""

    name: ClassVar[str]
    entry: ClassVar[str]
    """`module:function` that carries it out, given the run's folder, its specification and what is asked."""
    is_distributed: ClassVar[bool] = False
    """Whether it may run as several ranks."""
    is_training: ClassVar[bool] = False
    """Whether its cost is that of the weights that come of it: it has a row in the records `training`."""
    sources: tuple[str, ...] = ()
    """Where data is looked for, in this order."""
    limits: dict[str, Limits] = field(default_factory=dict)
    """Largest number of examples read, by task."""

    def limit(self, task: str, split: str) -> int | None:
        """Largest number of examples read of a split of a task; None for all."""
        return self.limits.get(task, Limits()).of(split)

    @property
    def label(self) -> str:
        """What the run is called in plans, and the first shape a cluster may have for it."""
        return self.name


@dataclass(frozen=True, kw_only=True, slots=True)
class PrepareSpec(Stage):
    """The pretrained encoder every other run starts from."""

    name: ClassVar[str] = "prepare"
    entry: ClassVar[str] = "stilts.model.prepare:prepare"
    model: Model
    texts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Languages by task of all that the study tokenises, where the vocabulary is cut down to it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchSize:
    """How large a batch is: so many tokens at most, or so many examples."""

    tokens_per_batch: int | None = None
    examples_per_batch: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """Masked text mixed into an intermediate phase."""

    task: str
    languages: tuple[str, ...]
    every: int
    smoothing: float
    block: int
    masked: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainSpec(Stage):
    """One training phase."""

    name: ClassVar[str] = "train"
    entry: ClassVar[str] = "stilts.train.loop:train"
    is_distributed: ClassVar[bool] = True
    is_training: ClassVar[bool] = True
    phase: Phase
    regime: str
    intermediate: str
    """The single task, `multi`, or empty."""
    encoder: Literal["pretrained", "random"] = "pretrained"
    """`random`: the parent's shape with fresh weights."""
    seed: int
    tasks: tuple[str, ...]
    """What it trains on."""
    targets: tuple[str, ...] = ()
    """Targets that its weights answer."""
    left_out: tuple[str, ...] = ()
    """Optional tasks that the mixture goes without."""
    optimisation: Optimisation
    dev_examples: dict[str, int] = field(default_factory=dict)
    """Examples of a task's development set that an evaluation reads; all of them where absent."""
    batch_sizes: dict[str, BatchSize] = field(default_factory=dict)
    """By task, where each task of a mixture has its own."""
    zero: Zero
    pooling: Pooling
    example_cap: int
    matched: str = ""
    """A run whose steps are added to its own, so that both cost alike."""
    text: Text | None = None
    translations: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Languages of the machine-translated sets beside the English one, by task."""

    @property
    def label(self) -> str:
        """Its phase: shapes and plans tell phases apart."""
        return self.phase


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A target as one set of weights answers it."""

    head: str = ""
    """Which head answers; empty for retrieval."""
    languages: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluateSpec(Stage):
    """Zero-shot scores of one set of weights, which is the run's first need."""

    name: ClassVar[str] = "evaluate"
    entry: ClassVar[str] = "stilts.evaluate:evaluate"
    regime: str
    intermediate: str
    seed: int
    targets: dict[str, Target]
    evaluation: Evaluation
    retrieval: Retrieval | None = None
    """How sentences become vectors, where a target is retrieval."""
    rules: Rules = field(default_factory=Rules)


@dataclass(frozen=True, kw_only=True, slots=True)
class BaselineSpec(Stage):
    """What a training set teaches without an encoder."""

    name: ClassVar[str] = "baseline"
    entry: ClassVar[str] = "stilts.baselines:run"
    methods: tuple[Baseline, ...]
    train_task: str
    targets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Languages by target."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TimedModel:
    """A set of weights that is timed on a target."""

    regime: str
    intermediate: str
    weights: str
    """Run that wrote them."""
    target: str
    head: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LatencySpec(Stage):
    """One fresh process that times the chosen models."""

    name: ClassVar[str] = "latency"
    entry: ClassVar[str] = "stilts.latency.session:measure"
    process: int
    seed: int
    models: tuple[TimedModel, ...]
    protocol: Latency
    dtype: Precision
    retrieval: Retrieval


@dataclass(frozen=True, kw_only=True, slots=True)
class DeploySpec(Stage):
    """One fresh process that serves all targets in each way there is."""

    name: ClassVar[str] = "deploy"
    entry: ClassVar[str] = "stilts.latency.deploy.stage:measure"
    process: int
    seed: int
    shared: tuple[TimedModel, ...]
    """The one model, by target."""
    apart: tuple[TimedModel, ...]
    """A model a target."""
    protocol: Deploy


def stages() -> Mapping[str, type[Stage]]:
    """The class of each stage, by the stage's name."""
    return {found.name: found for found in Stage.__subclasses__()}
