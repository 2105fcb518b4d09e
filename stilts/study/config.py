"""A study as data: which model, tasks, seeds and settings. One TOML file a study, shipped or by path."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from hpc.settings import FILE_NAME, Line, Range
from hpc.zero import Zero
from stilts.run.settings import (
    Baseline,
    Count,
    Deploy,
    Evaluation,
    Latency,
    Limits,
    Model,
    Optimisation,
    Retrieval,
    Rules,
)

Fraction = Annotated[float, Range(above=0, most=1)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Intermediate:
    """The English training phase before the target; none where there are no tasks."""

    tasks: tuple[str, ...] = ()
    """Tasks of the multi-task mixture."""
    single_tasks: tuple[str, ...] = ()
    """Tasks that are also trained alone."""
    optional: tuple[str, ...] = ()
    """Tasks that are left out where the first launch finds no data of theirs."""
    example_cap: Count = 131072
    """Examples a task counts for at most when the mixture is drawn."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MaskedText:
    """Multilingual masked-language modelling kept up during the intermediate phase."""

    phases: tuple[str, ...]
    """Intermediate phases it is mixed into: tasks that are trained alone, or `multi`."""
    languages: tuple[str, ...] = ()
    """Languages of the text; empty: all that the source of text has in common with the targets."""
    every: Count = 1
    """A batch of text comes after so many batches of the intermediate tasks."""
    smoothing: Fraction = 0.3
    """Languages are drawn with probability proportional to (amount of text) ** smoothing."""
    block: Annotated[int, Range(least=8, most=2**15 - 1)] = 256
    """Tokens of a sequence of text at most."""
    masked: Fraction = 0.15
    """Share of the tokens to predict: 80 % become the mask, 10 % another token, 10 % stay."""

    def __post_init__(self) -> None:
        if not self.phases:
            raise ValueError("phases names the intermediate phases that text is mixed into; it is empty")


@dataclass(frozen=True, kw_only=True, slots=True)
class Translated:
    """Machine-translated training sets beside the English ones."""

    phases: tuple[str, ...]
    """Tasks that are trained alone with their translations."""
    languages: tuple[str, ...]
    """Languages of the translations."""

    def __post_init__(self) -> None:
        if not self.phases or not self.languages:
            raise ValueError("phases and languages must both name something")
        if "en" in self.languages:
            raise ValueError("the English set is always there; languages are those of the translations")


@dataclass(frozen=True, kw_only=True, slots=True)
class Long:
    """Fine-tuning alone for as many steps as an intermediate phase and the target take together."""

    phases: tuple[str, ...]
    """Intermediate phases whose steps are counted: tasks that are trained alone, or `multi`."""

    def __post_init__(self) -> None:
        if not self.phases:
            raise ValueError("phases names the intermediate phases whose steps are matched; it is empty")


@dataclass(frozen=True, kw_only=True, slots=True)
class Variants:
    """Other intermediate phases, to be held against the English ones (grid `variants`)."""

    mlm: MaskedText | None = None
    translated: Translated | None = None
    long: Long | None = None
    optional: tuple[Literal["mlm", "translated"], ...] = ()
    """Variants that are left out where the first launch finds no data of theirs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Study:
    """Everything that decides the numbers of a study."""

    name: Annotated[str, FILE_NAME]
    """Also the name of its folder of runs."""
    summary: Annotated[str, Line()]
    """One line for `--help` and the tables."""
    caveat: Annotated[str, Line()] = ""
    """Printed in the caption of every table and figure."""
    seeds: tuple[Annotated[int, Range(least=0, most=2**63 - 1)], ...]
    sources: tuple[Literal["hub", "folder", "embedded"], ...]
    """Where data is looked for, in this order."""
    model: Model
    intermediate: Intermediate = field(default_factory=Intermediate)
    variants: Variants = field(default_factory=Variants)
    targets: tuple[str, ...]
    languages: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Languages by task, and `default` for the others; absent means all the task has."""
    optimisation: dict[str, Optimisation] = field(default_factory=lambda: {"default": Optimisation()})
    """Settings by training set, `multi`, `joint` and `heads`; what is missing comes from `default`. A target
    goes before the set it is fine-tuned on: `xnli` is for MNLI as XNLI's training set, `mnli` for MNLI as an
    intermediate task."""
    limits: dict[str, Limits] = field(default_factory=dict)
    zero: Zero = field(default_factory=Zero)
    evaluation: Evaluation = field(default_factory=Evaluation)
    retrieval: Retrieval = field(default_factory=Retrieval)
    rules: Rules = field(default_factory=Rules)
    latency: Latency = field(default_factory=Latency)
    deploy: Deploy = field(default_factory=Deploy)
    baselines: tuple[Baseline | Literal["random"], ...] = ()
    """Baselines trained beside the regimes for the sanity table."""

    def optimisation_of(self, *names: str) -> Optimisation:
        """Settings of the first of these names that has some, or the default ones."""
        known = (self.optimisation[name] for name in names if name in self.optimisation)
        return next(known, self.optimisation["default"])

    def limits_of(self, task: str) -> Limits:
        """Limits of a task, or the default ones."""
        return self.limits.get(task, self.limits.get("default", Limits()))
