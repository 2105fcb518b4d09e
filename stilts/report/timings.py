"""Timings by variant and process, read one run at a time so that memory holds two numbers a call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stilts.report.evidence import Evidence
from stilts.report.inference import Floats
from stilts.run import records
from stilts.run.folder import RunFolder
from stilts.study.regimes import row_key

_VARIANT = (
    "regime",
    "train_tasks",
    "target_task",
    "batch_size",
    "impl",
    "dtype",
    "device_class",
    "device_name",
    "scenario",
    "heads",
    "lang",
    "padding",
)
_COLUMNS = (
    *_VARIANT,
    "process_rep",
    "order_pos",
    "wall_ns",
    "tokenize_ns",
    "is_warmup",
    "valid",
    "invalid_reason",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """What was timed: a row of the latency table."""

    row: str
    target: str
    batch_size: int
    impl: str
    dtype: str
    device: str
    """The processor or GPU by its name; where that is not known, `cpu` or `cuda`."""
    scenario: str
    heads: int
    language: str
    padding: str


@dataclass(kw_only=True, slots=True)
class Timings:
    """The usable calls of a variant, by process, in the order they were made; nanoseconds."""

    model: dict[tuple[str, int], Floats] = field(default_factory=dict)
    end_to_end: dict[tuple[str, int], Floats] = field(default_factory=dict)
    num_calls: int = 0
    invalid: dict[str, int] = field(default_factory=dict)
    """Calls left out, by reason."""

    @property
    def count(self) -> int:
        """Usable calls of all processes."""
        return sum(len(values) for values in self.model.values())

    @property
    def runs(self) -> tuple[str, ...]:
        """Runs the calls were made in."""
        return tuple(dict.fromkeys(run for run, _ in self.model))


def load(evidence: Evidence) -> dict[Variant, Timings]:
    """All timings of a study's finished processes.

    Warm-up calls and calls flagged invalid are left out, the latter counted. A process that is still at
    work, or was cut short, has not passed over all variants: it is no replicate.
    """
    found: dict[Variant, Timings] = evidence.shared.get(("timings",), {})
    if found:
        return found
    for run in evidence.plan.values():
        folder = RunFolder(evidence.folder / run.id)
        if run.stage != "latency" or run.id in evidence.damaged or not folder.done.exists():
            continue
        table = records.read("latency", [folder.records / "latency"], _COLUMNS)
        if len(table):
            _add(found, run.id, table)
    evidence.shared["timings",] = found
    return found


def _add(found: dict[Variant, Timings], run: str, table: Any) -> None:
    columns = {name: _codes(table[name]) for name in (*_VARIANT, "process_rep")}
    combined, _ = _combine(columns.values())
    order = np.lexsort((table["order_pos"].to_numpy(), combined))
    wall = table["wall_ns"].to_numpy().astype(float)
    tokenising = table["tokenize_ns"].fill_null(-1).to_numpy().astype(float)
    warm = table["is_warmup"].to_numpy(zero_copy_only=False)
    valid = table["valid"].to_numpy(zero_copy_only=False)
    starts = np.flatnonzero(np.diff(combined[order], prepend=-1))
    for rows in np.split(order, starts[1:]):
        first = {name: table[name][int(rows[0])].as_py() for name in (*_VARIANT, "process_rep")}
        timings = found.setdefault(_variant(first), Timings())
        measured = rows[~warm[rows]]
        usable = measured[valid[measured]]
        timings.num_calls += len(measured)
        for row in measured[~valid[measured]].tolist():
            reason = table["invalid_reason"][row].as_py() or "unknown"
            timings.invalid[reason] = timings.invalid.get(reason, 0) + 1
        process = (run, int(first["process_rep"]))
        timings.model[process] = wall[usable]
        if len(usable) and tokenising[usable].min() >= 0:
            timings.end_to_end[process] = wall[usable] + tokenising[usable]


def _codes(column: Any) -> NDArray[np.int64]:
    encoded = column.fill_null("" if column.type == "string" else -1).combine_chunks().dictionary_encode()
    codes: NDArray[np.int64] = encoded.indices.to_numpy().astype(np.int64)
    return codes


def _combine(columns: Any) -> tuple[NDArray[np.int64], int]:
    combined, size = np.zeros(1, np.int64), 1
    for codes in columns:
        width = int(codes.max()) + 1
        combined, size = combined * width + codes, size * width
    return combined, size


def _variant(first: dict[str, Any]) -> Variant:
    return Variant(
        row=row_key(first["regime"], first["train_tasks"] or ""),
        target=first["target_task"],
        batch_size=first["batch_size"],
        impl=first["impl"],
        dtype=first["dtype"],
        device=first["device_name"] or first["device_class"],
        scenario=first["scenario"],
        heads=first["heads"],
        language=first["lang"],
        padding=first["padding"],
    )


def settings(found: Mapping[Variant, Timings]) -> list[dict[Variant, Timings]]:
    """Variants that differ in row, target and batch alone, those of most variants first."""
    apart: dict[Variant, dict[Variant, Timings]] = {}
    for variant, timings in found.items():
        setting = replace(variant, row="", target="", batch_size=0, scenario="")
        apart.setdefault(setting, {})[variant] = timings
    return [apart[setting] for setting in sorted(apart, key=lambda one: (-len(apart[one]), str(one)))]


def pooled_median(timings: Timings) -> float | None:
    """Milliseconds of a call: the median over the calls of all processes, as every table tells it."""
    calls = processes(timings.model)
    return float(np.median(np.concatenate(calls))) / 1e6 if calls else None


def processes(values: dict[tuple[str, int], Floats]) -> list[Floats]:
    """Calls by process, in a fixed order; processes without a usable call are left out."""
    return [values[process] for process in sorted(values) if len(values[process])]


def medians(values: dict[tuple[str, int], Floats], shared: Sequence[tuple[str, int]]) -> list[float]:
    """Medians of the processes named."""
    return [float(np.median(values[process])) for process in shared]
