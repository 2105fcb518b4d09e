"""Why a timed call is no measurement of the model: what was seen within it, and of the machine around it.

Nothing is left out here: a row that is flagged says why, and the tables count it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpc.telemetry import Reading

POWER = 0x4 | 0x80
"""NVML's reasons for a clock that power keeps down: the software's cap and the power brake."""
HEAT = 0x8 | 0x20 | 0x40
"""... and that the hardware or heat keeps down."""
_IDLE = 0x1


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """From where on a call is flagged."""

    waited: float = 0.05
    """Share of a call that a thread of ours was ready and had no processor."""
    foreign: float = 0.25
    """Processors that other processes kept busy around the call."""
    stolen: float = 0.05
    """Processors that the hypervisor gave to others around the call."""
    clock: float = 0.75
    """Share of the highest clock that a GPU runs at, at least, and processors of the highest seen."""
    window_ns: int = 500_000_000
    """Around a call: its readings are averaged over at least so long."""


def invalid(
    rows: Sequence[Mapping[str, Any]],
    readings: Sequence[Reading],
    *,
    gpus: Collection[str] = (),
    limits: Limits | None = None,
) -> list[str | None]:
    """The first reason against each row; None where there is none.

    Args:
        rows: with `t_start_ns`, `wall_ns`, `n_compiles`, `first_shape`, `waited_ns` and `major_faults`.
        readings: in order of time, from before the first row until after the last.
        gpus: UUIDs of those that the calls ran on.
        limits: the shipped ones when absent.
    """
    limits = limits or Limits()
    start = np.array([row["t_start_ns"] for row in rows], np.int64)
    end = start + np.array([row["wall_ns"] for row in rows], np.int64)
    if not readings:
        return ["not_watched"] * len(rows)
    around = _Around(readings, start, end, gpus, limits)
    return [_within(row, limits) or around.reason(place) for place, row in enumerate(rows)]


def _within(row: Mapping[str, Any], limits: Limits) -> str | None:
    if row["n_compiles"]:
        return "recompile"
    if row["first_shape"]:
        return "first_shape"
    if row["major_faults"]:
        return "page_fault"
    if row["waited_ns"] is not None and row["waited_ns"] > limits.waited * row["wall_ns"]:
        return "waited_for_processor"
    return None


class _Around:
    """What the readings say of the time of each row."""

    def __init__(
        self,
        readings: Sequence[Reading],
        start: NDArray[np.int64],
        end: NDArray[np.int64],
        gpus: Collection[str],
        limits: Limits,
    ) -> None:
        self.readings, self.gpus, self.limits = readings, gpus, limits
        self.fastest = max((reading.mhz or 0.0 for reading in readings), default=0.0)
        times = np.array([reading.t_ns for reading in readings], np.int64)
        pad = np.maximum(limits.window_ns - (end - start), 0) // 2
        self.foreign = _mean([reading.foreign for reading in readings], times, start - pad, end + pad)
        self.stolen = _mean([reading.stolen for reading in readings], times, start - pad, end + pad)
        # A GPU is looked at now and then: the last look before a call and the first after it speak of it.
        self.watched = (start >= times[0] - _spans(times)[0]) & (end <= times[-1])
        self.first = np.maximum(np.searchsorted(times, start, side="right") - 1, 0)
        self.last = np.searchsorted(times, end, side="left")

    def reason(self, place: int) -> str | None:
        if not self.watched[place]:
            return "not_watched"
        near = self.readings[self.first[place] : self.last[place] + 1]
        for gpu in (gpu for reading in near for gpu in reading.gpus if gpu.uuid in self.gpus):
            if (gpu.num_processes or 0) > 1:
                return "foreign_process"
            if (gpu.reasons or 0) & HEAT:
                return "thermal"
            if (gpu.reasons or 0) & POWER:
                return "power_cap"
            is_idle = (gpu.reasons or 0) & _IDLE
            clock = gpu.clock_mhz or gpu.highest_clock_mhz or 0
            if not is_idle and clock < self.limits.clock * (gpu.highest_clock_mhz or 0):
                return "low_clock"
        if any((one.mhz or self.fastest) < self.limits.clock * self.fastest for one in near):
            return "low_clock"
        if self.stolen[place] > self.limits.stolen:
            return "stolen_time"
        if self.foreign[place] > self.limits.foreign:
            return "foreign_load"
        return None


def _mean(
    values: Sequence[float], times: NDArray[np.int64], start: NDArray[np.int64], end: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Mean over [start, end] of a quantity that each reading gives for the time since the one before."""
    if len(times) < 2:
        return np.full(len(start), values[0])
    spans = _spans(times)
    total = np.concatenate([[0.0], np.cumsum(np.asarray(values) * spans)])
    edges = np.concatenate([[times[0] - spans[0]], times]).astype(np.float64)
    start, end = (np.clip(side, edges[0], edges[-1]) for side in (start, end))
    taken: NDArray[np.float64] = np.interp(end, edges, total) - np.interp(start, edges, total)
    return taken / np.maximum(end - start, 1)


def _spans(times: NDArray[np.int64]) -> NDArray[np.int64]:
    """The time that each reading speaks of; the first is taken to be as long as the second."""
    return np.diff(times, prepend=2 * times[0] - times[1] if len(times) > 1 else times[0])
