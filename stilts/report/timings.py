"""Timings by variant and process, read one run at a time so that memory holds two numbers a call."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
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
    failed = refused(evidence)
    for run in evidence.plan.values():
        folder = RunFolder(evidence.folder / run.id)
        if run.stage != "latency" or run.id in evidence.damaged or not folder.done.exists():
            continue
        _add_run(found, run.id, folder.records / "latency")
    for variant in [variant for variant in found if _answers(variant) in failed]:
        del found[variant]
    evidence.shared["timings",] = found
    return found


def refused(evidence: Evidence) -> dict[tuple[str, ...], str]:
    """What is timed and does not answer as eager fp32 does, and by how much: its times are left out."""
    found: dict[tuple[str, ...], str] = evidence.shared.get(("refused",), {})
    if ("refused",) not in evidence.shared:
        for rows in evidence.read("gate").values():
            for row in rows:
                if not row["passed"]:
                    device = row["device_name"] or row["device_class"]
                    key = (
                        row_key(row["regime"], row["train_tasks"] or ""), row["target_task"], row["lang"],
                        row["impl"], row["dtype"], device,
                    )  # fmt: skip
                    found[key] = f"{row['score']:.1f} where fp32 has {row['reference']:.1f}"
        evidence.shared["refused",] = found
    return found


def _answers(variant: Variant) -> tuple[str, ...]:
    """What a gate is about: batches and scenarios do not change an answer."""
    return (
        variant.row, variant.target, variant.language, variant.impl, variant.dtype, variant.device,
    )  # fmt: skip


def gate_warnings(evidence: Evidence) -> list[str]:
    """One line where something was left out."""
    failed = refused(evidence)
    if not failed:
        return []
    (row, target, language, impl, dtype, device), why = next(iter(failed.items()))
    first = f"{row} on {target} {language}, {impl} in {dtype} on {device}: {why}"
    return [
        f"GATE: {len(failed)} of what is timed does not answer as eager fp32 does and is left out ({first})."
    ]


@dataclass(slots=True)
class _Calls:
    """Usable calls of a variant in a process, shard by shard."""

    order: list[NDArray[np.int64]] = field(default_factory=list)
    wall: list[NDArray[np.float32]] = field(default_factory=list)
    tokenize: list[NDArray[np.float32]] = field(default_factory=list)
    """NaN where it was not timed."""


def _add_run(found: dict[Variant, Timings], run: str, folder: Path) -> None:
    """Adds what one run timed; memory holds two short numbers a call, and one shard."""
    parts: dict[tuple[Variant, int], _Calls] = {}
    for table in records.stream("latency", [folder], _COLUMNS):
        for key, calls in _split(table, found):
            mine = parts.setdefault(key, _Calls())
            mine.order += calls.order
            mine.wall += calls.wall
            mine.tokenize += calls.tokenize
    for (variant, process), calls in parts.items():
        order, first = np.unique(np.concatenate(calls.order), return_index=True)
        wall, tokenize = np.concatenate(calls.wall)[first], np.concatenate(calls.tokenize)[first]
        timings = found[variant]
        timings.model[run, process] = wall
        if len(order) and not np.isnan(tokenize).any():
            timings.end_to_end[run, process] = wall + tokenize


def _split(table: Any, found: dict[Variant, Timings]) -> Iterator[tuple[tuple[Variant, int], _Calls]]:
    """The usable calls of a shard by variant and process; what is flagged is counted in `found`."""
    combined = np.zeros(len(table), np.int64)
    for name in (*_VARIANT, "process_rep"):
        codes = _codes(table[name])
        combined = combined * (int(codes.max(initial=0)) + 1) + codes
    order = np.argsort(combined, kind="stable")
    starts = np.flatnonzero(np.diff(combined[order], prepend=-1))
    wall = table["wall_ns"].to_numpy().astype(np.float32)
    tokenize = table["tokenize_ns"].cast("float32").fill_null(float("nan")).to_numpy()
    places = table["order_pos"].to_numpy()
    warm = table["is_warmup"].to_numpy()
    valid = table["valid"].to_numpy()
    for rows in np.split(order, starts[1:]):
        if not len(rows):
            continue
        first = {name: table[name][int(rows[0])].as_py() for name in (*_VARIANT, "process_rep")}
        variant = _variant(first)
        timings = found.setdefault(variant, Timings())
        measured = rows[~warm[rows]]
        usable = measured[valid[measured]]
        timings.num_calls += len(measured)
        for row in measured[~valid[measured]].tolist():
            reason = table["invalid_reason"][row].as_py() or "unknown"
            timings.invalid[reason] = timings.invalid.get(reason, 0) + 1
        yield (
            (variant, int(first["process_rep"])),
            _Calls([places[usable]], [wall[usable]], [tokenize[usable]]),
        )


def _codes(column: Any) -> NDArray[np.int64]:
    """Small numbers that are equal where the values are."""
    if column.type != "string":
        values = column.to_numpy()
        if (values == values[:1]).all():
            return np.zeros(len(values), np.int64)
        return np.unique(values, return_inverse=True)[1].astype(np.int64)
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    codes: NDArray[np.int64] = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return codes


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
