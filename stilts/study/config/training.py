"""What of a study is about training: how a run is trained, and which phases come before the targets."""

from dataclasses import dataclass
from typing import Literal

TOKENS_PER_BATCH = 2048
"""Size of a batch where a study does not say."""

BATCH_SIZES = ("tokens_per_batch", "examples_per_batch")


@dataclass(frozen=True, kw_only=True, slots=True)
class Optimisation:
    """How a run is trained. AdamW, linear schedule with warm-up; no decay on biases and LayerNorm."""

    learning_rate: float = 1e-5
    epochs: float = 2.0
    """Passes over the training set; for a mixture, over the capped mixture."""
    max_steps: int | None = None
    """Upper bound on optimizer steps."""
    tokens_per_batch: int | None = None
    """Real tokens an optimizer step sees at most, over all ranks; 2048 where neither this nor
    `examples_per_batch` is given."""
    examples_per_batch: int | None = None
    """Examples an optimizer step sees instead, over all ranks, in random company whatever their lengths. A
    window of a passage counts as an example, a question with all its choices as one."""
    batches: Literal["alike", "own"] = "alike"
    """`own`: each task of a mixture has batches as large as where it is trained alone."""
    warmup: float = 0.1
    """Share of the steps over which the rate rises from zero."""
    weight_decay: float = 0.01
    epsilon: float = 1e-8
    clip: float = 1.0
    """Largest gradient norm."""
    dropout: float = 0.1
    head_rate: float = 1.0
    """Factor on the learning rate of new heads."""
    frozen: tuple[str, ...] = ()
    """Parts that do not train: `embeddings`, `layers.0` ..., `encoder` (all of it)."""
    evaluate_every: int = 1000
    """Steps between looks at the English development set."""
    dev_examples: int | None = None
    """Examples of that set which a look reads, from its head; all of them when absent."""
    patience: int = 30
    """Looks without a new best before training stops."""
    save_every: int = 500
    """Steps between resumable checkpoints."""

    def __post_init__(self) -> None:
        if self.tokens_per_batch is not None and self.examples_per_batch is not None:
            raise ValueError("a batch is measured by tokens_per_batch or by examples_per_batch, not by both")
        if self.tokens_per_batch is None and self.examples_per_batch is None:
            object.__setattr__(self, "tokens_per_batch", TOKENS_PER_BATCH)
        for name in (
            "learning_rate",
            "epochs",
            "tokens_per_batch",
            "examples_per_batch",
            "evaluate_every",
            "dev_examples",
            "save_every",
            "patience",
        ):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name} must be positive, not {value}")
        for name in ("warmup", "dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must lie in [0, 1), not {getattr(self, name)}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Intermediate:
    """The English training phase before the target; none where there are no tasks."""

    tasks: tuple[str, ...] = ()
    """Tasks of the multi-task mixture."""
    singles: tuple[str, ...] = ()
    """Tasks that are also trained alone."""
    optional: tuple[str, ...] = ()
    """Tasks that are left out where the first launch finds no data of theirs (`stilts.study.grid.settle`)."""
    cap: int = 131072
    """Examples a task counts for at most when the mixture is drawn."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MaskedText:
    """Multilingual masked-language modelling kept up during the intermediate phase."""

    phases: tuple[str, ...]
    """Intermediate phases it is mixed into: tasks that are trained alone, or `multi`."""
    languages: tuple[str, ...] = ()
    """Languages of the text; empty: all that the source of text has in common with the targets."""
    every: int = 1
    """A batch of text comes after so many batches of the intermediate tasks."""
    smoothing: float = 0.3
    """Languages are drawn with probability proportional to (amount of text) ** smoothing."""
    block: int = 256
    """Tokens of a sequence of text at most."""
    masked: float = 0.15
    """Share of the tokens to predict: 80 % become `<mask>`, 10 % another piece, 10 % stay."""

    def __post_init__(self) -> None:
        if not self.phases:
            raise ValueError("phases names the intermediate phases that text is mixed into; it is empty")
        if self.every < 1 or self.block < 8:
            raise ValueError("every must be at least 1 and block at least 8")
        for name in ("smoothing", "masked"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in (0, 1], not {getattr(self, name)}")


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
class Variants:
    """Other intermediate phases, to be held against the English ones (grid `variants`)."""

    mlm: MaskedText | None = None
    translated: Translated | None = None
    optional: tuple[Literal["mlm", "translated"], ...] = ()
    """Variants that are left out where the first launch finds no data of theirs."""
