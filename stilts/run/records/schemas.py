"""The columns of every record type. `!` marks a column that is never null; times are integer nanoseconds.

Labels are plain `utf8`: dictionary columns fail when shards are written in pieces and when shards are
grouped.
"""

from collections.abc import Mapping
from dataclasses import dataclass

SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column: its name, its Arrow type by name, and whether null is refused."""

    name: str
    type: str
    required: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Schema:
    """The columns of a record type, and those that tell one observation from a second copy of it."""

    type: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in the order of the file."""
        return tuple(column.name for column in self.columns)


def _schema(type_: str, text: str, key: str) -> Schema:
    words = text.split()
    columns = tuple(
        Column(name=name, type=type_.rstrip("!"), required=type_.endswith("!"))
        for name, type_ in zip(words[::2], words[1::2], strict=True)
    )
    return Schema(type=type_, columns=columns, key=tuple(key.split()))


# Points on 0-100. `regime` is direct, single, multi, heads, joint, mlm, translated, random, majority,
# bag-of-words or word-overlap; `intermediate` is the single task or the phase that was varied, "multi" or "".
# `n` examples were scored of the `n_full` that the split has. What made a number: `data`, the source and
# version of the set; `model`, the digest of the weights; `code`, the version of this program.
_SCORES = """
    run_id utf8!  study utf8!  regime utf8!  intermediate utf8  seed int64  target utf8!  language utf8!
    split utf8!  metric utf8!  value float64!  n int32!  n_full int32!  note utf8
    data utf8  model utf8  code utf8
"""

# One row a training run. `targets` are the target tasks the trained weights serve, separated by commas; it is
# empty for an intermediate phase. Of its updates, `steps` were taken and `skipped` left out for a gradient
# that was not finite; `notes` say what else was noticed. `total_seconds` are seconds times ranks of all
# attempts, and the sum of those by kind; `seconds` is the wall time of its steps. `engine` is what computed
# them; `peak_flops` what all its devices reach in a matrix product; `energy_j` is of GPUs, or without them of
# the processors.
_TRAINING = """
    run_id utf8!  regime utf8!  intermediate utf8  seed int64  stage utf8  tasks utf8  targets utf8
    device_class utf8!  engine utf8  precision utf8  seconds float64!  cpu_seconds float64
    gpu_seconds float64  steps int64  skipped int64  notes utf8  tokens int64
    flops_model float64  flops_hardware float64  peak_flops float64  world_size int32  parent_run_id utf8
    attempts int32  total_seconds float64  startup_seconds float64  data_seconds float64
    training_seconds float64  evaluation_seconds float64  checkpoint_seconds float64  waiting_seconds float64
    lost_seconds float64  energy_j float64
"""

# One row a timed call; at batch > 1 one row a forward, with the token counts summed over the batch. `wall_ns`
# is from before the input is packed until the result is on the host; `device_ns` of it encoder and head.
# `waited_ns`: a thread of ours was ready and had no processor.
_LATENCY = """
    run_id utf8!  cell_id utf8!  regime utf8!  train_tasks utf8  seed int64  target_task utf8!  lang utf8!
    impl utf8!  dtype utf8!  device_class utf8!  device_name utf8  clock utf8!  scenario utf8!  heads int8!
    batch_size int16!
    padding utf8!  process_rep int16!  round int32!  block int32!  pos_in_block int16!  order_pos int64!
    query_id int32!  n_windows int16!  real_tokens int32!  padded_tokens int32!  max_len int16!
    t_start_ns int64!  wall_ns int64!  tokenize_ns int64  pack_ns int64  h2d_ns int64  device_ns int64
    head_ns int64  d2h_ns int64  n_compiles int8!  waited_ns int64  major_faults int32  is_warmup bool!
    valid bool!  invalid_reason utf8
"""

# One row a query, or a text that needs several tasks, as a way to serve (`layout`: shared, resident, swapped)
# answered it. `scenario` is text (`heads` tasks on one text), server (arrivals at `rate` a second, 0 for all
# at once; `wall_ns` is from the moment it was to be sent, `queue_ns` of it until work on it began) or swap (a
# model brought from `place`: host, cache or disk). `batch_size` queries were answered together.
_SERVING = """
    run_id utf8!  layout utf8!  dtype utf8!  impl utf8!  device_class utf8!  device_name utf8!  scenario utf8!
    place utf8!  heads int8!  rate float64!  process_rep int16!  round int32!  block int32!
    pos_in_block int16!  order_pos int64!  query_id int32!  task utf8!  batch_size int16!  real_tokens int32!
    t_start_ns int64!  wall_ns int64!  queue_ns int64  swap_ns int64  n_compiles int8!  waited_ns int64
    major_faults int32  is_warmup bool!  valid bool!  invalid_reason utf8
"""

# One row a way to serve in a fresh process that does nothing else: bytes of the weights (on the device, and
# waiting on the host), the most memory it took, and nanoseconds from the start of the process to its first
# answer, of which `load_ns` until all models were ready. `energy_j` was used for `energy_texts` texts of
# `energy_heads` tasks.
_MEMORY = """
    run_id utf8!  process_rep int16!  layout utf8!  dtype utf8!  impl utf8!  device_class utf8!
    device_name utf8!  num_models int16!  weights int64!  host_weights int64!  peak_alloc int64
    peak_reserved int64  nvml_used int64  host_rss int64!  cold_start_ns int64!  load_ns int64!
    energy_j float64  energy_texts int32  energy_heads int8
"""

# One row a model, a back end and a type of number: its answers to the timed queries against those of the same
# weights in eager fp32. `difference` is the largest between two of their numbers, `deviation` the root mean
# square of all differences as a share of the reference's spread, `flips` predictions that differ; both
# scores are the task's metric on these queries.
_GATE = """
    run_id utf8!  regime utf8!  train_tasks utf8  seed int64  target_task utf8!  lang utf8!  impl utf8!
    dtype utf8!  device_class utf8!  device_name utf8  n int32!  difference float64!  flips int32!
    deviation float64  reference float64!  score float64!  passed bool!
"""

# One row a reading of the machine's state, and a GPU where there is one: what happened since the one before.
# `foreign_cpu` are processors that other processes kept busy, `stolen_cpu` those that the hypervisor took,
# `cpu_mhz` is the clock of the fastest.
_TELEMETRY = """
    run_id utf8!  process_rep int16!  t_ns int64!  foreign_cpu float32!  stolen_cpu float32!  cpu_mhz float32
    gpu_uuid utf8  sm_mhz int16  mem_mhz int16  temp_c int16  power_mw int32  energy_mj int64
    event_reasons int64  util int8  num_processes int8
"""

# One row an example. `cluster_id` is the passage or the parallel id: what a bootstrap over items draws.
# `score` is the example's own metric in [0, 1] and `aux` a second one (F1 beside exact match).
_PREDICTIONS = """
    run_id utf8!  cell_id utf8!  target utf8  language utf8  split utf8  example_id utf8!  cluster_id utf8
    gold utf8  pred utf8  score float32!  aux float32  data utf8  model utf8  code utf8
"""

_ANY = float("inf")
_SECONDS = (
    "seconds cpu_seconds gpu_seconds total_seconds startup_seconds data_seconds training_seconds "
    "evaluation_seconds checkpoint_seconds waiting_seconds lost_seconds energy_j"
)
BOUNDS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "scores": {"value": (0.0, 100.0)},
    "gate": {
        "reference": (0.0, 100.0),
        "score": (0.0, 100.0),
        "difference": (0.0, _ANY),
        "deviation": (0.0, _ANY),
    },
    "predictions": {"score": (0.0, 1.0)},
    "training": dict.fromkeys(_SECONDS.split(), (0.0, _ANY)),
    "serving": {"rate": (0.0, _ANY)},
    "memory": {"energy_j": (0.0, _ANY)},
}
"""Least and largest value that a column of fractions can have, by record type."""

SCHEMAS = {
    schema.type: schema
    for schema in (
        _schema("scores", _SCORES, "run_id regime intermediate seed target language split metric"),
        _schema("training", _TRAINING, "run_id stage"),
        _schema("latency", _LATENCY, "run_id cell_id process_rep order_pos"),
        _schema("gate", _GATE, "run_id regime train_tasks target_task lang impl dtype"),
        _schema("serving", _SERVING, "run_id process_rep order_pos"),
        _schema("memory", _MEMORY, "run_id process_rep layout dtype"),
        _schema("telemetry", _TELEMETRY, "run_id process_rep t_ns gpu_uuid"),
        _schema("predictions", _PREDICTIONS, "run_id cell_id example_id"),
    )
}
