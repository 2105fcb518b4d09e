"""Timings by variant and process, read one run at a time so that memory holds two numbers a call."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stilts.report import inference
from stilts.report.evidence import Evidence
from stilts.report.gates import answers, refused
from stilts.report.inference import Floats
from stilts.run import records
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
    "round",
    "pos_in_block",
    "order_pos",
    "real_tokens",
    "padded_tokens",
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
    keys: dict[tuple[str, int], NDArray[np.int64]] = field(default_factory=dict)
    """Which calls those of `model` are: variants of a group answer the same queries in the same call."""
    tokens: dict[tuple[str, int], NDArray[np.int32]] = field(default_factory=dict)
    """How much there was to do in each, where it is known."""
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
    for run in evidence.whole("latency"):
        _add_run(found, run.id, run.records / "latency")
    for variant in [variant for variant in found if answers(variant) in failed]:
        del found[variant]
    evidence.shared["timings",] = found
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """What a shard holds of a variant in a process."""

    variant: Variant
    process: int
    order: NDArray[np.int64]
    key: NDArray[np.int64]
    tokens: NDArray[np.int32]
    wall: NDArray[np.float32]
    tokenize: NDArray[np.float32]
    """NaN where it was not timed."""
    num_calls: int
    invalid: Mapping[str, int]


def _add_run(found: dict[Variant, Timings], run: str, folder: Path) -> None:
    """Adds what one run timed; memory holds two short numbers a call, and a few shards."""
    parts: dict[tuple[Variant, int], list[_Part]] = {}
    for shard in records.stream("latency", [folder], _COLUMNS, then=_split, proven=True):
        for part in shard:
            parts.setdefault((part.variant, part.process), []).append(part)
    for (variant, process), mine in parts.items():
        timings = found.setdefault(variant, Timings())
        order = np.concatenate([part.order for part in mine])
        wall = np.concatenate([part.wall for part in mine])
        tokenize = np.concatenate([part.tokenize for part in mine])
        keys = np.concatenate([part.key for part in mine])
        tokens = np.concatenate([part.tokens for part in mine])
        if not (np.diff(order) > 0).all():
            # A requeued process wrote some calls twice: the first copy stays.
            order, first = np.unique(order, return_index=True)
            wall, tokenize, keys, tokens = wall[first], tokenize[first], keys[first], tokens[first]
        timings.model[run, process], timings.keys[run, process] = wall, keys
        timings.tokens[run, process] = tokens
        if len(order) and not np.isnan(tokenize).any():
            timings.end_to_end[run, process] = wall + tokenize
        for part in mine:
            timings.num_calls += part.num_calls
            for reason, count in part.invalid.items():
                timings.invalid[reason] = timings.invalid.get(reason, 0) + count


def _split(table: Any) -> list[_Part]:
    """The usable calls of a shard by variant and process."""
    heads, order, starts = _grouped(table.select([*_VARIANT, "process_rep"]))
    warm = table["is_warmup"].to_numpy()[order]
    tokens = table["real_tokens"].to_numpy()
    padded = (_is_packed(table) & (tokens != table["padded_tokens"].to_numpy()))[order]
    usable = table["valid"].to_numpy()[order] & ~padded & ~warm
    rows = order[usable]
    cuts = np.append(0, np.cumsum(usable))[starts[1:]]
    keys = table["round"].to_numpy()[rows] * np.int32(2**15) + table["pos_in_block"].to_numpy()[rows]
    # Arrow refuses to round what float32 does not hold exactly, which 17 ms in nanoseconds are already.
    tokenize = table["tokenize_ns"].cast("float32", safe=False).fill_null(float("nan")).to_numpy()
    split = {
        "order": np.split(table["order_pos"].to_numpy()[rows], cuts),
        "key": np.split(keys, cuts),
        "tokens": np.split(tokens[rows], cuts),
        "wall": np.split(table["wall_ns"].to_numpy()[rows].astype(np.float32), cuts),
        "tokenize": np.split(tokenize[rows], cuts),
    }
    flagged = np.flatnonzero(~usable & ~warm)
    invalid: list[Counter[str]] = [Counter() for _ in heads]
    reasons = table["invalid_reason"].take(order[flagged]).to_pylist()
    for place, at, reason in zip(
        flagged, np.searchsorted(starts, flagged, "right") - 1, reasons, strict=True
    ):
        invalid[at]["padded" if padded[place] else reason or "unknown"] += 1
    num_calls = np.add.reduceat(~warm, starts, dtype=np.int64)
    return [
        _Part(
            variant=_variant(head),
            process=head["process_rep"],
            **{name: parts[number] for name, parts in split.items()},
            num_calls=int(num_calls[number]),
            invalid=invalid[number],
        )
        for number, head in enumerate(heads)
    ]


def _is_packed(table: Any) -> NDArray[np.bool_]:
    """Calls that say of themselves that they were not padded."""
    import pyarrow.compute as pc

    found: NDArray[np.bool_] = pc.equal(table["padding"], "none").to_numpy(zero_copy_only=False)
    return found


def _grouped(names: Any) -> tuple[list[dict[str, Any]], NDArray[np.int64], NDArray[np.int64]]:
    """Equal rows of a table: each once; the places of all, equal ones together; where those of each begin.

    Calls are made in blocks of one variant, so equal rows mostly stand together: values are looked up where
    they change, not in every row.
    """
    begins = np.zeros(len(names), np.bool_)
    begins[:1] = True
    for column in names.columns:
        begins[1:] |= _changes(column.combine_chunks())
    blocks = np.flatnonzero(begins)
    lengths = np.diff(blocks, append=len(names))
    heads = names.take(blocks)
    combined = np.zeros(len(blocks), np.int64)
    for column in heads.columns:
        codes = column.combine_chunks().dictionary_encode(null_encoding="encode").indices
        found = codes.to_numpy(zero_copy_only=False).astype(np.int64)
        combined = np.unique(combined * (int(found.max()) + 1) + found, return_inverse=True)[1]
    order = np.argsort(combined, kind="stable")
    firsts = np.flatnonzero(np.diff(combined[order], prepend=-1))
    sizes = lengths[order]
    ends = np.cumsum(sizes)
    places = np.arange(len(names)) + np.repeat(blocks[order] - (ends - sizes), sizes)
    return heads.take(order[firsts]).to_pylist(), places, (ends - sizes)[firsts]


def _changes(column: Any) -> NDArray[np.bool_]:
    """Whether a value differs from the one before it, from the second on."""
    import pyarrow.compute as pc

    if column.null_count:
        column = column.dictionary_encode(null_encoding="encode").indices
    found: NDArray[np.bool_] = pc.not_equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False)
    return found


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


def ratios(mine: Timings, other: Timings, *, of: Literal["same work", "same place"]) -> dict[str, float]:
    """By process that has both, the median ratio of calls that were made side by side.

    Args:
        mine: some timings.
        other: those they are compared with.
        of: `same work`: a process in which calls at the same place had other queries is left out.
    """
    found = {
        f"{run}, process {number}": inference.paired_ratio(
            *(_calls(one, (run, number), with_work=of == "same work") for one in (mine, other))
        )
        for run, number in sorted(mine.model)
        if (run, number) in other.model
    }
    return {process: ratio for process, ratio in found.items() if not math.isnan(ratio)}


def _calls(timings: Timings, process: tuple[str, int], *, with_work: bool) -> inference.Calls:
    times = timings.model[process]
    keys = timings.keys.get(process, np.arange(len(times)))
    return inference.Calls(keys, times, timings.tokens.get(process) if with_work else None)
