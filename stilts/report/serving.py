"""What finished processes of a deployment measured, by way to serve: times, rates, memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stilts.report.evidence import Evidence
from stilts.report.inference import Calls, Floats
from stilts.run import records

LAYOUTS = ("shared", "resident", "swapped")
PLACES = ("host", "cache", "disk")
_COLUMNS = (
    "layout", "dtype", "impl", "device_class", "device_name", "scenario", "place", "heads", "rate",
    "process_rep", "round", "pos_in_block", "order_pos", "wall_ns", "is_warmup", "valid", "invalid_reason",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Setting:
    """Where and in what numbers it was served: only layouts of one setting are compared."""

    device: str
    dtype: str
    impl: str


@dataclass(kw_only=True, slots=True)
class Served:
    """One layout in one setting; by process, times in nanoseconds."""

    texts: dict[int, dict[int, Calls]] = field(default_factory=dict)
    """By number of tasks."""
    swaps: dict[str, dict[int, Floats]] = field(default_factory=dict)
    """By place."""
    trials: dict[int, dict[float, Floats]] = field(default_factory=dict)
    """By process and rate, times from when queries were to be sent; rate 0 is a heap."""
    memory: dict[int, dict[str, Any]] = field(default_factory=dict)
    calls: int = 0
    invalid: dict[str, int] = field(default_factory=dict)
    """Calls left out, by reason."""
    runs: tuple[str, ...] = ()

    @property
    def offline(self) -> list[float]:
        """By process, queries a second where all come at once."""
        heaps = (trials[0.0] for trials in self.trials.values() if 0.0 in trials)
        return [len(times) / (float(times.max()) / 1e9) for times in heaps]

    def rates(self, bound_ms: float, share: float) -> dict[int, float]:
        """By process, the highest rate up to which such a share of all queries was answered in time.

        0 where none was; trials that the machine disturbed have been left out.
        """
        found = {}
        for process, trials in self.trials.items():
            best = 0.0
            for rate in sorted(rate for rate in trials if rate > 0):
                if float(np.quantile(trials[rate], share)) > bound_ms * 1e6:
                    break
                best = rate
            found[process] = best
        return found


def paired(mine: Served | None, other: Served | None, heads: int) -> dict[int, tuple[Calls, Calls]]:
    """Calls of two layouts on texts of so many tasks, by the processes that have both."""
    first, second = (one.texts.get(heads, {}) if one else {} for one in (mine, other))
    return {
        process: (first[process], second[process])
        for process in sorted(first)
        if len(first[process]) and len(second.get(process, ()))
    }


def load(evidence: Evidence, *, max_invalid: float) -> dict[Setting, dict[str, Served]]:
    """Everything that finished processes measured.

    Args:
        evidence: of the study.
        max_invalid: a trial with a larger share of disturbed queries is left out whole.
    """
    found: dict[Setting, dict[str, Served]] = {}
    for run in evidence.whole("deploy"):
        table = records.read("serving", [run.records / "serving"], _COLUMNS)
        for (setting, layout), rows in _grouped(table.to_pylist()).items():
            served = found.setdefault(setting, {}).setdefault(layout, Served())
            served.runs += (run.id,)
            _add(served, rows, max_invalid)
        for row in records.read("memory", [run.records / "memory"]).to_pylist():
            served = found.setdefault(_setting(row), {}).setdefault(row["layout"], Served())
            served.memory[row["process_rep"]] = row
    return found


def _grouped(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[Setting, str], list[Mapping[str, Any]]]:
    found: dict[tuple[Setting, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault((_setting(row), row["layout"]), []).append(row)
    return found


def _setting(row: Mapping[str, Any]) -> Setting:
    return Setting(device=row["device_name"] or row["device_class"], dtype=row["dtype"], impl=row["impl"])


def _add(served: Served, rows: Sequence[Mapping[str, Any]], max_invalid: float) -> None:
    counted = [row for row in rows if not row["is_warmup"]]
    served.calls += len(counted)
    for row in counted:
        if not row["valid"]:
            reason = row["invalid_reason"] or "unknown"
            served.invalid[reason] = served.invalid.get(reason, 0) + 1
    for process in sorted({row["process_rep"] for row in counted}):
        mine = [row for row in counted if row["process_rep"] == process]
        usable = [row for row in mine if row["valid"]]
        for heads in sorted({row["heads"] for row in usable if row["scenario"] == "text"}):
            served.texts.setdefault(heads, {})[process] = _calls(
                [row for row in usable if row["scenario"] == "text" and row["heads"] == heads]
            )
        for place in PLACES:
            times = _walls(usable, scenario="swap", place=place)
            if len(times):
                served.swaps.setdefault(place, {})[process] = times
        for rate in sorted({row["rate"] for row in mine if row["scenario"] == "server"}):
            trial = [row for row in mine if row["scenario"] == "server" and row["rate"] == rate]
            disturbed = sum(not row["valid"] for row in trial)
            # A queue carries a disturbance on: a trial is whole or it is none.
            if disturbed <= max_invalid * len(trial):
                served.trials.setdefault(process, {})[rate] = _walls(trial)


def _calls(rows: Sequence[Mapping[str, Any]]) -> Calls:
    found = sorted((row["round"] * 2**15 + row["pos_in_block"], row["wall_ns"]) for row in rows)
    return Calls(np.array([key for key, _ in found], np.int64), np.array([wall for _, wall in found], float))


def _walls(rows: Sequence[Mapping[str, Any]], **wanted: Any) -> Floats:
    chosen = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
    chosen.sort(key=lambda row: row["order_pos"])
    return np.array([row["wall_ns"] for row in chosen], float)
