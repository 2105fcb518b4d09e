"""The protocol on subjects and machines whose times are scripted: order, pairs, every flag on its rows."""

from collections import Counter
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import pytest

from hpc.telemetry import GpuReading, Reading
from stilts.latency import flags, protocol

SETTINGS = SimpleNamespace(rounds=4, calls=6, warmup=2)
MS = 1_000_000
GPU = GpuReading(
    uuid="GPU-a", clock_mhz=1980, highest_clock_mhz=1980, memory_clock_mhz=2619, temperature_c=40,
    power_mw=300_000, energy_mj=0, reasons=0, utilization=90, num_processes=1,
)  # fmt: skip


@dataclass
class Clock:
    now: int = 10_000 * MS


@dataclass(eq=False)
class Scripted:
    """A subject whose calls take as long as it is told, on a clock that it moves itself."""

    name: str
    group: str
    clock: Clock
    asked: list[int] = field(default_factory=list)
    warm_calls: range = range(3)

    def call(self, number):
        self.asked.append(number)
        start = self.clock.now
        self.clock.now += 10 * MS
        return {
            "t_start_ns": start, "wall_ns": 10 * MS, "name": self.name, "n_compiles": 0, "waited_ns": 0,
            "major_faults": 0, "shape": number % 3, "call": number,
        }  # fmt: skip


@pytest.fixture
def timed():
    clock = Clock()
    subjects = [Scripted(f"{group}-{one}", group, clock) for group in "abc" for one in range(3)]
    return subjects, list(protocol.steps(subjects, SETTINGS, process=1, seed=5))


def test_every_round_passes_over_all_subjects_in_another_order(timed):
    subjects, steps = timed
    orders = [
        [step.subject.name for step in steps if step.round == round_] for round_ in range(-1, SETTINGS.rounds)
    ]
    assert all(sorted(order) == sorted(one.name for one in subjects) for order in orders)
    assert len(set(map(tuple, orders))) == len(orders)


def test_what_is_compared_stands_side_by_side_and_answers_the_same_calls(timed):
    _, steps = timed
    for round_ in range(SETTINGS.rounds):
        blocks = [step for step in steps if step.round == round_]
        groups = [block.subject.group for block in blocks]
        assert [groups[n] for n in range(0, 9, 3)] == list(dict.fromkeys(groups))
        expected = list(range(6 * round_, 6 * round_ + 6))
        assert all([row["call"] for row in block.rows] == expected for block in blocks)


def test_places_are_counted_and_the_head_of_a_block_is_warm_up(timed):
    _, steps = timed
    rows = [row for step in steps for row in step.rows]
    assert [row["order_pos"] for row in rows] == list(range(1, len(rows) + 1))
    for step in steps:
        warm = [row["is_warmup"] for row in step.rows]
        assert warm == ([True] * 3 if step.round < 0 else [True] * 2 + [False] * 4)
    blocks = [step.rows[0]["block"] for step in steps if step.round >= 0]
    assert blocks == list(range(len(blocks)))


def test_other_processes_have_other_orders():
    def order(process):
        subjects = [Scripted(str(n), "a", Clock()) for n in range(6)]
        return [s.subject.name for s in protocol.steps(subjects, SETTINGS, process=process, seed=5)]

    assert order(1) == order(1)
    assert order(1) != order(2)


def test_a_shape_is_new_once(timed):
    _, steps = timed
    new = Counter((row["name"], row["round"]) for step in steps for row in step.rows if row["first_shape"])
    assert set(new.values()) == {3}
    assert {round_ for _, round_ in new} == {-1}


def rows(count=20, **changed):
    """Calls of 10 ms, one after the other, from 1 s on."""
    plain = {"wall_ns": 10 * MS, "n_compiles": 0, "first_shape": False, "waited_ns": 0, "major_faults": 0}
    made = [plain | {"t_start_ns": 1000 * MS + 100 * n * MS} for n in range(count)]
    for name, values in changed.items():
        for place, value in values.items():
            made[place][name] = value
    return made


def readings(count=50, **changed):
    """One every 100 ms from 0 s on, the GPU at full clock unless told otherwise by time in ms."""
    made = []
    for n in range(count):
        gpu = GPU
        reading = Reading(t_ns=100 * n * MS, foreign=0.0, stolen=0.0, mhz=None)
        for name, values in changed.items():
            if 100 * n in values:
                if name in ("foreign", "stolen"):
                    reading = replace(reading, **{name: values[100 * n]})
                else:
                    gpu = replace(gpu, **{name: values[100 * n]})
        made.append(replace(reading, gpus=(gpu,)))
    return made


def flagged(made, seen, **options):
    found = flags.invalid(made, seen, gpus=["GPU-a"], **options)
    return {place: reason for place, reason in enumerate(found) if reason}


def test_what_is_well_has_no_flag():
    assert flagged(rows(), readings()) == {}


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("n_compiles", 1, "recompile"),
        ("first_shape", True, "first_shape"),
        ("major_faults", 2, "page_fault"),
        ("waited_ns", 600_000, "waited_for_processor"),
    ],
)
def test_what_the_process_saw_is_on_its_own_row(column, value, reason):
    assert flagged(rows(**{column: {7: value}}), readings()) == {7: reason}


def test_a_kernel_that_tells_no_waits_flags_nothing():
    assert flagged(rows(waited_ns={3: None, 4: 400_000}), readings()) == {}


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("reasons", 0x4, "power_cap"),
        ("reasons", 0x80, "power_cap"),
        ("reasons", 0x20, "thermal"),
        ("reasons", 0x8, "thermal"),
        ("clock_mhz", 1400, "low_clock"),
        ("num_processes", 2, "foreign_process"),
    ],
)
def test_what_the_gpu_says_is_on_the_rows_of_that_time(column, value, reason):
    """The look at 1,500 ms is the first after the call at 1,400, and the last before that at 1,500."""
    assert flagged(rows(), readings(**{column: {1500: value}})) == {4: reason, 5: reason}


def test_what_nobody_watched_is_no_measurement():
    assert flags.invalid(rows(3), []) == ["not_watched"] * 3
    found = flagged(rows(), readings(25))
    # The last reading is at 2,400 ms: the call that began then was over later.
    assert found == dict.fromkeys(range(14, 20), "not_watched")
    late = [one for one in readings() if one.t_ns >= 1500 * MS]
    assert flagged(rows(), late) == dict.fromkeys(range(4), "not_watched")


def test_an_idle_gpu_or_another_one_is_no_reason():
    slow = readings(clock_mhz={1500: 345}, reasons={1500: 0x1})
    assert flagged(rows(), slow) == {}
    assert flags.invalid(rows(), readings(num_processes={1500: 3}), gpus=["GPU-b"]) == [None] * 20


def test_a_processor_that_slows_down_is_seen():
    seen = [replace(one, mhz=3000.0 if one.t_ns != 1500 * MS else 1800.0) for one in readings()]
    assert flagged(rows(), seen) == {4: "low_clock", 5: "low_clock"}


@pytest.mark.parametrize(("column", "reason"), [("foreign", "foreign_load"), ("stolen", "stolen_time")])
def test_load_around_a_call_is_averaged_over_half_a_second(column, reason):
    burst = dict.fromkeys(range(1600, 2000, 100), 1.0)
    found = flagged(rows(), readings(**{column: burst}))
    assert set(found.values()) == {reason}
    assert {6, 7, 8, 9} <= set(found)
    assert not set(found) & {0, 1, 2, 13, 14, 15}
    # One tick of ten milliseconds counted for somebody else is no load.
    assert flagged(rows(), readings(foreign={1600: 0.1, 1700: -0.1, 1800: 0.1})) == {}


def test_every_kept_row_says_whether_it_is_one(timed):
    _, steps = timed
    made = [row for step in steps if step.round == 0 for row in step.rows]
    made[5]["n_compiles"] = 1
    told = protocol.judged(made, SimpleNamespace(readings=lambda until_ns: readings(400)))
    assert [row["valid"] for row in told] == [n != 5 for n in range(len(made))]
    assert told[5]["invalid_reason"] == "recompile"
    assert "first_shape" not in told[0]
