"""What a run was asked: one frozen class a stage, written by the launcher as `spec.json` and never changed.

A new stage is a class here (`STAGES` finds it), a function that carries it out, and a place in a grid.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from hpc.errors import UserError, unknown_name
from hpc.settings import decode
from hpc.zero import Zero
from stilts.run.settings import (
    Baseline,
    Evaluation,
    Latency,
    Limits,
    Model,
    Optimisation,
    Pooling,
    Precision,
    Retrieval,
)

Phase = Literal["single", "multi", "target", "joint", "heads"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """What every stage is asked."""

    name: ClassVar[str]
    entry: ClassVar[str]
    """`module:function` that carries it out, given the run's folder, its specification and what is asked."""
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
    batch_sizes: dict[str, BatchSize] = field(default_factory=dict)
    """By task, where each task of a mixture has its own."""
    zero: Zero
    pooling: Pooling
    example_cap: int
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
    entry: ClassVar[str] = "stilts.latency:measure"
    process: int
    seed: int
    models: tuple[TimedModel, ...]
    protocol: Latency
    dtype: Precision
    retrieval: Retrieval


def stages() -> Mapping[str, type[Stage]]:
    """The class of each stage, by the stage's name."""
    return {found.name: found for found in Stage.__subclasses__()}


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSpec:
    """A run of a study."""

    study: str
    id: str
    """Readable: `multi-s1`, `mnli-s1.xnli`, `mnli-s1.xnli.eval`."""
    asked: Stage
    """Everything the stage reads."""
    needs: tuple[str, ...] = ()
    """Runs that must be done before this one starts."""
    parents: Mapping[str, str] = field(default_factory=dict)
    """Fingerprint of each need: a changed ancestor changes the run."""
    tokens: int = 0
    """Estimate of the tokens computed on, for plans and progress; not part of the identity."""

    @property
    def stage(self) -> str:
        """Name of its stage."""
        return self.asked.name

    @property
    def fingerprint(self) -> str:
        """Hash of all that can change the run's numbers."""
        identity = {"stage": self.stage, "asked": plain(self.asked), "parents": dict(self.parents)}
        canonical = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """The content of `spec.json`."""
        return {
            "study": self.study,
            "id": self.id,
            "stage": self.stage,
            "asked": plain(self.asked),
            "needs": list(self.needs),
            "parents": dict(self.parents),
            "tokens": self.tokens,
            "fingerprint": self.fingerprint,
        }

    @classmethod
    def from_json(cls, stored: Any, where: str) -> "RunSpec":
        """The specification that `as_json` wrote.

        Raises:
            UserError: it is no specification of this version, or was edited after it was written.
        """
        envelope: _Envelope = decode(_Envelope, stored, where)
        if envelope.stage not in stages():
            raise unknown_name("stage", envelope.stage, stages(), where=where)
        spec = cls(
            study=envelope.study,
            id=envelope.id,
            asked=decode(stages()[envelope.stage], envelope.asked, where),
            needs=envelope.needs,
            parents=envelope.parents,
            tokens=envelope.tokens,
        )
        if spec.fingerprint != envelope.fingerprint:
            raise UserError(
                f"{where} is not as launch wrote it: it was edited, or written by another version of stilts; "
                f"restore it, or move {Path(where).parent} away to run it anew",
                code=3,
            )
        return spec


@dataclass(frozen=True, kw_only=True, slots=True)
class _Envelope:
    study: str
    id: str
    stage: str
    asked: dict[str, Any]
    needs: tuple[str, ...]
    parents: dict[str, str]
    tokens: int
    fingerprint: str


def plain(value: Any) -> Any:
    """A specification as JSON. What is absent or empty is left out: runs outlive settings added later."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        kept = {str(key): plain(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item is not None and item != [] and item != {}}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def differences(stored: RunSpec, asked: RunSpec) -> list[str]:
    """Lines `field: stored -> asked` for all that differs in the identity of two specifications."""
    if stored.stage != asked.stage:
        return [f"stage: {stored.stage} -> {asked.stage}"]
    before, after = _flatten(plain(stored.asked)), _flatten(plain(asked.asked))
    lines = [
        f"{key}: {before.get(key, '(absent)')} -> {after.get(key, '(absent)')}"
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]
    changed = [name for name in asked.parents if stored.parents.get(name) != asked.parents[name]]
    return lines + [f"its parent {name} changed" for name in changed]


def refuse_change(stored: RunSpec, asked: RunSpec, path: Path) -> None:
    """Raises a `UserError` that names the differing fields unless both ask for the same."""
    if stored.fingerprint != asked.fingerprint:
        lines = differences(stored, asked)
        shown = "; ".join([*lines[:5], *([f"and {len(lines) - 5} more"] if len(lines) > 5 else [])])
        raise UserError(
            f"{path} was launched with other settings ({shown}); delete the folder to run it anew, "
            "or give the changed study another name"
        )


def _flatten(value: Any, prefix: str = "") -> dict[str, str]:
    if isinstance(value, Mapping):
        return {
            key: text
            for name, item in value.items()
            for key, text in _flatten(item, f"{prefix}.{name}" if prefix else name).items()
        }
    return {prefix: json.dumps(value)}
