"""All tables of a large study: `python tests/benchmarks/tables.py`.

2,000 runs of 13 seeds, 20 million timed calls, predictions of every evaluation. Bars: every table and
figure there is, written in every format, within 60 seconds and below 2 GiB. Exit code 1 when one is missed.
`--quick`: a tenth of the calls and two seeds.
"""

import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from aggregate import columns as timed_calls
from timing import THREADS, Bar, arguments, machine, say, verdict

from hpc.usage import measured
from stilts import tables, tasks
from stilts.run import records
from stilts.run.folder import RunFolder
from stilts.run.outputs import write_done
from stilts.run.specs import EvaluateSpec, LatencySpec, RunSpec
from stilts.study import grid
from stilts.study.loading import load_study
from stilts.tasks import Task

ITEMS, PROCESSES, ROWS = 60, 20, 100_000
STUDY = """
name = "large"
summary = "records of a large study"
seeds = {seeds}
sources = ["embedded"]
targets = ["xnli", "pawsx", "udpos", "panx", "xquad", "mlqa", "tydiqa", "bucc2018", "tatoeba"]
[model]
source = "random"
[intermediate]
tasks = ["anli_plus", "mnli", "qqp", "squad_v1", "squad_v2", "hellaswag", "ccg", "cosmosqa", "commonsenseqa"]
single_tasks = [
    "anli_plus", "mnli", "qqp", "squad_v1", "squad_v2", "hellaswag", "ccg", "cosmosqa", "commonsenseqa",
]
[optimisation.default]
[latency]
targets = ["xnli", "xquad", "panx"]
regimes = ["direct", "multi", "heads", "joint"]
processes = {processes}
"""
# Answers, right and wrong, by type of task.
PAIRS = {
    "classify": (("1", "1"), ("1", "0")),
    "span": (("red house | house", "the red house"), ("red house | house", "blue")),
    "tag": (("B-PER I-PER O", "B-PER I-PER O"), ("B-PER I-PER O", "B-PER O O")),
    "retrieve": (("a sentence", "a sentence"), ("a sentence", "another")),
}


def write(folder: Path, seeds: int, shards: int) -> tuple[Path, int]:
    """The study's file and its runs, and how many they are."""
    path = folder / "large.toml"
    path.write_text(STUDY.format(seeds=list(range(1, seeds + 1)), processes=PROCESSES))
    runs = grid.expand(load_study(str(path)), "all")
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(THREADS, mp_context=context) as pool:
        places = [folder / "runs" / "large" / run.id for run in runs]
        for number, _ in enumerate(pool.map(write_run, places, runs, repeat(shards), chunksize=8), start=1):
            if number % 200 == 0:
                say(f"wrote {number} of {len(runs)} runs")
    return path, len(runs)


def write_run(place: Path, run: RunSpec, shards: int) -> None:
    """What a finished run leaves behind, weights apart."""
    here = RunFolder(place)
    here.write_spec(run)
    here.provenance.write_text('{"unix": 0.0, "cpu": "A processor", "git": {"sha": "0", "diff": ""}}\n')
    asked = run.asked
    if isinstance(asked, LatencySpec):
        chance = np.random.default_rng(asked.process)
        for sequence in range(shards):
            made = timed_calls(run.id, asked.process, sequence, ROWS, chance)
            records.write_shard(here.records / "latency", "latency", made, name=f"lat-{sequence:05}")
    elif isinstance(asked, EvaluateSpec):
        write_evaluation(here, run, asked)
    elif asked.is_training:
        write_training(here, run)
    with measured() as meter:
        pass
    write_done(here.path, run.fingerprint, meter.usage)


def write_training(here: RunFolder, run: RunSpec) -> None:
    asked: Any = run.asked
    cost = {
        "run_id": run.id, "regime": asked.regime, "intermediate": asked.intermediate, "seed": asked.seed,
        "stage": asked.phase, "tasks": ",".join(asked.tasks), "targets": ",".join(asked.targets),
        "device_class": "cuda", "seconds": 1000.0, "tokens": 10**6, "flops_model": 1e15, "world_size": 1,
    }  # fmt: skip
    records.write_shard(here.records / "training", "training", [cost], name="training")
    rows = [
        score(run, name, "en", "dev", metric, 70.0)
        for name in asked.tasks
        for metric in tasks.load(name).metrics
    ]
    records.write_shard(here.records / "scores", "scores", rows, name="dev")


def score(run: RunSpec, target: str, language: str, split: str, metric: str, value: float) -> dict[str, Any]:
    asked: Any = run.asked
    return {
        "run_id": run.id, "study": run.study, "target": target, "language": language, "split": split,
        "regime": asked.regime, "intermediate": asked.intermediate, "seed": asked.seed, "n": ITEMS,
        "n_full": ITEMS, "metric": metric, "value": value,
    }  # fmt: skip


def write_evaluation(here: RunFolder, run: RunSpec, asked: EvaluateSpec) -> None:
    chance = np.random.default_rng(abs(hash(run.id)) % 2**32)
    rows = []
    for name, target in asked.targets.items():
        task = tasks.load(name)
        for language in target.languages:
            right = chance.random(ITEMS) < 0.7
            records.write_shard(
                here.predictions,
                "predictions",
                answers(run, task, language, right),
                name=f"{name}-{language}",
            )
            rows += [
                score(run, name, language, "test", metric, 100 * right.mean()) for metric in task.metrics
            ]
            if task.metric == "pairs":
                rows.append(score(run, name, language, "dev", "f1", 100 * right.mean()))
    records.write_shard(here.records / "scores", "scores", rows, name="scores")


def answers(run: RunSpec, task: Task, language: str, right: Any) -> dict[str, Any]:
    good, bad = PAIRS[task.type]
    count = len(right)
    return {
        "run_id": pa.repeat(run.id, count),
        "cell_id": pa.repeat(f"{task.name}-{language}", count),
        "target": pa.repeat(task.name, count),
        "language": pa.repeat(language, count),
        "split": pa.repeat("test", count),
        "example_id": pa.array([f"{n:04}" for n in range(count)]),
        "cluster_id": pa.array([f"p{n // 2:04}" for n in range(count)]),
        "gold": pa.array([good[0] if one else bad[0] for one in right]),
        "pred": pa.array([good[1] if one else bad[1] for one in right]),
        "score": right.astype(np.float32),
    }


def timed(folder: Path, study: Path) -> tuple[float, float]:
    """Seconds and GiB of one process that makes everything."""
    start = time.perf_counter()
    asked = ["--study", str(study), "--runs", str(folder / "runs"), "--output", str(folder / "out"), "--all"]
    assert tables.main(asked) == 0
    return time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> int:
    """Prints the bars; returns the exit code."""
    asked = arguments(str(__doc__).splitlines()[0])
    seeds, shards = (2, 1) if asked.quick else (13, 10)
    folder = Path(tempfile.mkdtemp(prefix="tables-"))
    try:
        study, count = write(folder, seeds, shards)
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            seconds, memory = pool.submit(timed, folder, study).result()
    finally:
        shutil.rmtree(folder)
    print(machine("pyarrow", "numpy"))
    print(f"{count:,} runs, {PROCESSES * shards * ROWS:,} calls\n")
    return verdict(
        [
            Bar(what="seconds", value=seconds, bound=60.0, side="at most"),
            Bar(what="GiB", value=memory, bound=2.0, side="at most"),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
