"""The order in which things are timed, and what is written down of each call, whatever is timed.

A round passes over all subjects once, those that are compared with each other side by side, in a new random
order. A block is so many calls of one subject; the subjects of a group answer the same queries in it, so that
their times pair up.
"""

import gc
import random
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from hpc import energy
from hpc.telemetry import Reading
from stilts.latency import flags

Row = dict[str, Any]


class Subject(Protocol):
    """What is timed."""

    @property
    def group(self) -> Hashable:
        """Subjects with the same one are compared with each other."""

    @property
    def warm_calls(self) -> Sequence[int]:
        """Calls after which every shape that a call of it can have is known to the machine."""

    def call(self, number: int) -> Row:
        """Answers the queries of a call.

        Returns:
            What is written down of it: `t_start_ns`, `wall_ns`, `shape`, which is what it computes on, and
            what `stilts.latency.witness` saw.
        """


class Machine(Protocol):
    """Tells what else went on; `hpc.telemetry.Watch` is one."""

    def readings(self, *, until_ns: int | None = None) -> Sequence[Reading]:
        """All readings so far, up to this time at least."""


class Settings(Protocol):
    """How often."""

    @property
    def rounds(self) -> int:
        """Passes over all subjects."""

    @property
    def calls(self) -> int:
        """Of a block."""

    @property
    def warmup(self) -> int:
        """Calls at the head of a block that do not count."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A block that is over."""

    round: int
    """-1 before the first."""
    number: int
    subject: Subject
    rows: list[Row]


def steps(subjects: Sequence[Subject], settings: Settings, *, process: int, seed: object) -> Iterator[Step]:
    """Warms all subjects, then times them; the rows have their places, and no flags yet.

    Args:
        subjects: what is timed.
        settings: how often.
        process: number of this process.
        seed: decides the order, with the number of the process.
    """
    chance = random.Random(f"{seed}/{process}")
    # What is there by now is not looked through again at every block.
    gc.freeze()
    seen: dict[int, set[Hashable]] = {}
    place = 0

    def block(subject: Subject, calls: Sequence[int], round_: int, number: int, warm: int) -> list[Row]:
        nonlocal place
        rows = []
        gc.collect()
        gc.disable()
        try:
            for position, call in enumerate(calls):
                row = subject.call(call)
                shapes, shape = seen.setdefault(id(subject), set()), row.pop("shape")
                place += 1
                rows.append(
                    row
                    | {
                        "process_rep": process,
                        "round": round_,
                        "block": number,
                        "pos_in_block": position,
                        "order_pos": place,
                        "first_shape": shape not in shapes,
                        "is_warmup": position < warm,
                    }
                )
                shapes.add(shape)
        finally:
            gc.enable()
        return rows

    for number, subject in enumerate(in_order(subjects, chance)):
        calls = subject.warm_calls
        yield Step(
            round=-1, number=number, subject=subject, rows=block(subject, calls, -1, number, len(calls))
        )
    for round_ in range(settings.rounds):
        for number, subject in enumerate(in_order(subjects, chance)):
            calls = range(round_ * settings.calls, (round_ + 1) * settings.calls)
            rows = block(subject, calls, round_, round_ * len(subjects) + number, settings.warmup)
            yield Step(round=round_, number=number, subject=subject, rows=rows)


def in_order(subjects: Sequence[Subject], chance: random.Random) -> list[Subject]:
    """All subjects: groups in random order, and those of a group side by side in random order."""
    groups: dict[Hashable, list[Subject]] = {}
    for subject in subjects:
        groups.setdefault(subject.group, []).append(subject)
    order = chance.sample(list(groups), len(groups))
    return [subject for group in order for subject in chance.sample(groups[group], len(groups[group]))]


def judged(rows: Sequence[Row], machine: Machine) -> list[Row]:
    """The rows with `valid` and `invalid_reason`, once the machine's state up to the last one is known."""
    if not rows:
        return []
    readings = machine.readings(until_ns=max(row["t_start_ns"] + row["wall_ns"] for row in rows))
    reasons = flags.invalid(rows, readings, gpus=energy.used_gpus())
    return [
        {**_kept(row), "valid": reason is None, "invalid_reason": reason}
        for row, reason in zip(rows, reasons, strict=True)
    ]


def _kept(row: Mapping[str, Any]) -> Row:
    return {name: value for name, value in row.items() if name != "first_shape"}


def telemetry_rows(run_id: str, process: int, readings: Sequence[Reading]) -> list[Row]:
    """Readings as records: one row a reading, or one a GPU where there are some."""
    found = []
    for reading in readings:
        common = {
            "run_id": run_id,
            "process_rep": process,
            "t_ns": reading.t_ns,
            "foreign_cpu": reading.foreign,
            "stolen_cpu": reading.stolen,
            "cpu_mhz": reading.mhz,
        }
        gpus = [
            {
                "gpu_uuid": gpu.uuid,
                "sm_mhz": gpu.clock_mhz,
                "mem_mhz": gpu.memory_clock_mhz,
                "temp_c": gpu.temperature_c,
                "power_mw": gpu.power_mw,
                "energy_mj": gpu.energy_mj,
                "event_reasons": gpu.reasons,
                "util": gpu.utilization,
                "num_processes": gpu.num_processes,
            }
            for gpu in reading.gpus
        ]
        found += [common | gpu for gpu in gpus or [{}]]
    return found
