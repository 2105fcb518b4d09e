"""The protocol on itself: a model against itself must come out equal, and one that is made slower, slower.

Both are timed as models of a study are: fresh processes, interleaved blocks, the serving path, flags.
"""

import math
import multiprocessing
import os
import statistics
import time
from collections import Counter
from collections.abc import Hashable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hpc.telemetry import Watch
from stilts.latency import doctor, protocol
from stilts.latency.sample import Sample
from stilts.report import inference
from stilts.report.inference import Calls, Ratio

MARGIN = 0.02
PLANTED = 0.05
_PROCESSES = 6
_MOST_FLAGGED = 0.2
_LENGTHS = tuple(range(16, 64, 2))


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """How often, see `protocol.Settings`."""

    rounds: int = 120
    calls: int = 2
    warmup: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """What a process measured: the usable calls of each subject in nanoseconds, and why others are not."""

    calls_of: dict[str, Calls]
    flagged: dict[str, int]
    calls: int
    overhead_ns: int
    """Median of what a call takes beside the part that is timed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """Of one repetition."""

    same: Ratio
    slower: Ratio

    @property
    def is_equal(self) -> bool:
        """Whether the model is found to be as fast as itself."""
        return self.same.equivalent

    @property
    def is_found(self) -> bool:
        """Whether what was planted is found."""
        return not self.slower.equivalent and self.slower.low > 1

    @property
    def covers(self) -> bool:
        """Whether its interval holds what was planted."""
        return self.slower.low <= 1 + PLANTED <= self.slower.high


class CannotMeasure(Exception):
    """Too many calls were disturbed; the message says by what."""


def selftest(repetitions: int) -> int:
    """Prints the outcomes; the exit code is 0 where at most one repetition in ten went wrong."""
    wrong = [finding for finding in doctor.examine() if not finding.is_well]
    if wrong:
        print("\n".join(map(str, wrong)))
        print("this machine cannot measure now: nothing was timed")
        return 1
    found = []
    for number in range(1, repetitions + 1):
        try:
            processes = measure(seed=number)
        except CannotMeasure as reason:
            print(f"this machine cannot measure now: {reason}")
            return 1
        found.append(judge(processes))
        print(f"[{number}/{repetitions}] {_line(found[-1])}", flush=True)
    return _summary(found, processes)


def measure(*, seed: int, count: int = _PROCESSES) -> list[Process]:
    """So many fresh processes, one after the other.

    Raises:
        CannotMeasure: more than a fifth of the calls were disturbed.
    """
    # A worker a task: every process is fresh.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as pool:
        processes = list(pool.map(work, [seed] * count, range(count)))
    flagged: Counter[str] = Counter()
    for one in processes:
        flagged.update(one.flagged)
    share = flagged.total() / sum(one.calls for one in processes)
    if share > _MOST_FLAGGED or not all(all(map(len, one.calls_of.values())) for one in processes):
        reasons = ", ".join(f"{reason} {count}" for reason, count in flagged.most_common())
        raise CannotMeasure(f"{100 * share:.0f} % of the calls were disturbed ({reasons})")
    return processes


def judge(processes: Sequence[Process]) -> Outcome:
    """The two comparisons, by the statistics of the tables."""
    same, slower = (
        [inference.paired_ratio(one.calls_of[name], one.calls_of["model"]) for one in processes]
        for name in ("again", "slower")
    )
    return Outcome(
        same=inference.compare(same, margin=MARGIN), slower=inference.compare(slower, margin=MARGIN)
    )


def work(seed: int, process: int) -> Process:
    """What a fresh process does."""
    subjects = _subjects(seed, process)
    rows: list[protocol.Row] = []
    with Watch() as watch:
        for step in protocol.steps(subjects, Settings(), process=process, seed=seed):
            rows += step.rows
        rows = protocol.judged(rows, watch)
    counted = [row for row in rows if not row["is_warmup"]]
    times: dict[str, dict[int, int]] = {subject.name: {} for subject in subjects}
    flagged: Counter[str] = Counter()
    for row in counted:
        if row["valid"]:
            times[row["name"]][row["round"] * 2**15 + row["pos_in_block"]] = row["wall_ns"]
        else:
            flagged[row["invalid_reason"]] += 1
    overhead = int(statistics.median(row["overhead_ns"] for row in counted))
    found = {
        name: Calls(np.array(list(taken), np.int64), np.array(list(taken.values()), float))
        for name, taken in times.items()
    }
    return Process(calls_of=found, flagged=dict(flagged), calls=len(counted), overhead_ns=overhead)


@dataclass(kw_only=True)
class _Subject:
    """A small encoder on the product's serving path; a subject of the protocol."""

    name: str
    model: Any
    sample: Sample
    delay: float
    """Share of the call that is added to it."""
    group: Hashable = "selftest"
    batches: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        from stilts.latency.witness import Witness

        self.witness = Witness(lambda: self.model.captured)

    @property
    def warm_calls(self) -> Sequence[int]:
        return range(len(self.batches))

    def call(self, number: int) -> protocol.Row:
        import torch

        entered = time.perf_counter_ns()
        (chosen,) = self.sample.examples(number, 1).tolist()
        packed = self.batches[chosen]
        with torch.inference_mode():
            self.witness.begin()
            start = time.perf_counter_ns()
            self.model(packed).float().cpu()
            until = start + (time.perf_counter_ns() - start) * (1 + self.delay)
            while self.delay and time.perf_counter_ns() < until:
                pass
            wall = time.perf_counter_ns() - start
            seen = self.witness.end()
        return {
            "name": self.name,
            "t_start_ns": start,
            "wall_ns": wall,
            "shape": _LENGTHS[chosen],
            "overhead_ns": time.perf_counter_ns() - entered - wall,
            **seen,
        }


def _subjects(seed: int, process: int) -> list[_Subject]:
    import torch

    from hpc import ranks
    from kernels.packing import from_lengths
    from stilts.model.encoder import EncoderConfig, PackedEncoder, for_inference

    config = EncoderConfig(
        hidden_size=256,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=1024,
        vocab_size=1000,
        max_position_embeddings=514,
    )
    device = ranks.setup().device
    # One processor is left to the watcher, so that what disturbs is not ours.
    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
    encoder = PackedEncoder(config, dropout=0.0).eval()
    encoder.reinitialise(0)
    model = for_inference(encoder.to(device), attention="triton" if device != "cpu" else "sdpa")
    model.warm_up()
    chance = np.random.default_rng(seed)
    batches = [
        from_lengths(torch.from_numpy(chance.integers(4, 1000, length)), [length]) for length in _LENGTHS
    ]
    sample = Sample(np.arange(len(batches)), count=len(batches), seed=seed, process=process)
    return [
        _Subject(name=name, model=model, sample=sample, delay=delay, batches=batches)
        for name, delay in (("model", 0.0), ("again", 0.0), ("slower", PLANTED))
    ]


def _line(outcome: Outcome) -> str:
    same, slower = outcome.same, outcome.slower
    return (
        f"itself {same.value:.4f} [{same.low:.4f}, {same.high:.4f}] "
        f"{'equivalent' if outcome.is_equal else 'NOT EQUIVALENT'}; "
        f"5 % slower {slower.value:.4f} [{slower.low:.4f}, {slower.high:.4f}] "
        f"{'found' if outcome.is_found else 'NOT FOUND'}"
    )


def _summary(found: Sequence[Outcome], processes: Sequence[Process]) -> int:
    count = len(found)
    equal, seen, covers = (
        sum(getattr(outcome, name) for outcome in found) for name in ("is_equal", "is_found", "covers")
    )
    print(f"itself: equivalent within {100 * MARGIN:g} % in {equal} of {count}")
    print(
        f"planted {100 * PLANTED:g} %: found in {seen} of {count}, inside its interval in {covers} of {count}"
    )
    error = statistics.fmean(math.log(one.same.high / one.same.low) / 2 for one in found)
    overhead = statistics.median(one.overhead_ns for one in processes)
    print(
        f"{_PROCESSES} processes tell ratios that differ by {100 * error:.2f} % or more; "
        f"measuring takes {overhead / 1000:.0f} us a call beside what is timed"
    )
    return 0 if min(equal, seen) >= 0.9 * count else 1
