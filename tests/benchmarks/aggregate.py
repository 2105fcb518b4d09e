"""From raw timings to the latency table, against DuckDB's SQL: `python tests/benchmarks/aggregate.py`.

100 million timed calls in 1,000 shards, ten of them corrupt, 72 variants in 20 processes. Bars: the table is
there within 1.2 times what DuckDB takes for the same quantiles of the same shards, by variant and by process,
below 2 GiB; and both say the same. Exit code 1 when a bar is missed. `--quick`: a tenth of it.
"""

import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from tabulate import tabulate
from timing import THREADS, Bar, arguments, machine, say, verdict

from hpc.usage import measured
from stilts.report.builders import latency
from stilts.report.evidence import Evidence
from stilts.report.spec import load_spec
from stilts.run import records
from stilts.run.folder import RunFolder
from stilts.run.outputs import write_done
from stilts.run.specs import LatencySpec, RunSpec
from stilts.study import grid
from stilts.study.loading import load_study

CALLS = 50
TARGETS = ("xnli", "xquad", "panx")
REGIMES = ("direct", "multi", "heads", "joint")
BATCHES = (1, 8, 32)
BACKENDS = ("triton", "varlen")
VARIANTS = [(t, r, b, i) for t in TARGETS for r in REGIMES for b in BATCHES for i in BACKENDS]
PROCESSES, SHARDS, ROWS, CORRUPT = 20, 1000, 100_000, 10
QUANTILES = (0.5, 0.95, 0.99)
COLUMNS = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
STUDY = f"""
name = "aggregate"
summary = "timings to be aggregated"
seeds = [1]
sources = ["embedded"]
targets = ["xnli", "xquad", "panx"]
[model]
source = "random"
[intermediate]
tasks = ["mnli"]
[optimisation.default]
[latency]
targets = ["xnli", "xquad", "panx"]
regimes = ["direct", "multi", "heads", "joint"]
processes = {PROCESSES}
"""


def write(folder: Path, shards: int, rows: int) -> Path:
    """The study's runs, and its file."""
    path = folder / "aggregate.toml"
    path.write_text(STUDY)
    study = load_study(str(path))
    timed = [run for run in grid.expand(study, "latency") if isinstance(run.asked, LatencySpec)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(THREADS, mp_context=context) as pool:
        places = [folder / "runs" / study.name / run.id for run in timed]
        written = pool.map(
            write_run, places, timed, range(1, len(timed) + 1), repeat(shards // len(timed)), repeat(rows)
        )
        for number in written:
            say(f"wrote {number} of {len(timed)} processes")
    return path


def write_run(place: Path, run: RunSpec, process: int, shards: int, rows: int) -> int:
    """One process's shards; of the first ten processes one is cut in half."""
    here, chance = RunFolder(place), np.random.default_rng(process)
    here.write_spec(run)
    for sequence in range(shards):
        made = columns(run.id, process, sequence, rows, chance)
        shard = records.write_shard(here.records / "latency", "latency", made, name=f"lat-{sequence:05}")
        if sequence == 0 and process <= CORRUPT:
            shard.write_bytes(shard.read_bytes()[: shard.stat().st_size // 2])
    with measured() as meter:
        pass
    write_done(here.path, run.fingerprint, meter.usage)
    return process


def columns(
    run: str, process: int, sequence: int, rows: int, chance: np.random.Generator
) -> Mapping[str, Any]:
    """One shard: blocks of calls of all variants, in random order."""
    count = -(-rows // CALLS // len(VARIANTS))
    blocks = np.concatenate([chance.permutation(len(VARIANTS)) for _ in range(count)])[: rows // CALLS]
    of = np.repeat(blocks, CALLS)
    level = 1 + 0.01 * chance.standard_normal()
    wall = 4e6 * level * (1 + np.arange(len(VARIANTS)) / 10)[of] * chance.gamma(30, 1 / 30, rows)

    def named(values: list[str]) -> pa.Array:
        return pa.array(values).take(pa.array(of)).cast(pa.utf8())

    place = sequence * rows + np.arange(rows)
    # A variant comes once a round.
    passes = np.repeat(np.arange(len(blocks)) // len(VARIANTS), CALLS)
    same = {
        "run_id": run, "seed": 1, "lang": "en", "dtype": "bf16", "device_class": "cuda",
        "device_name": "A card", "clock": "cuda_event", "heads": 1, "padding": "graph",
        "process_rep": process, "n_windows": 1,
        "max_len": 128, "n_compiles": 0, "waited_ns": 0, "major_faults": 0,
    }  # fmt: skip
    types = {column.name: column.type for column in records.SCHEMAS["latency"].columns}
    return {
        **{
            name: pa.repeat(pa.scalar(value, pa.utf8() if types[name] == "utf8" else types[name]), rows)
            for name, value in same.items()
        },
        "cell_id": named([f"{n:064x}" for n in range(len(VARIANTS))]),
        "regime": named([one[1] for one in VARIANTS]),
        "train_tasks": named(["" for _ in VARIANTS]),
        "target_task": named([one[0] for one in VARIANTS]),
        "impl": named([one[3] for one in VARIANTS]),
        "scenario": named(["single_stream" if one[2] == 1 else "batch" for one in VARIANTS]),
        "batch_size": np.array([one[2] for one in VARIANTS])[of],
        "round": sequence * count + passes,
        "block": place // CALLS,
        "pos_in_block": np.arange(rows) % CALLS,
        "order_pos": place,
        "query_id": chance.integers(0, 200, rows),
        "real_tokens": 10 + np.arange(rows) % CALLS,
        "padded_tokens": 10 + np.arange(rows) % CALLS,
        "t_start_ns": place * 10_000_000,
        "wall_ns": wall.astype(np.int64),
        "tokenize_ns": chance.integers(50_000, 90_000, rows),
        "is_warmup": np.arange(rows) % CALLS < 5,
        "valid": chance.random(rows) > 0.001,
        "invalid_reason": [None] * rows,
    }


def ours(folder: Path, study: Path) -> dict[str, float]:
    """The latency table; a few of its numbers."""
    evidence = Evidence(study=load_study(str(study)), folder=folder / "runs" / "aggregate")
    (table,) = latency.build(load_spec("latency"), evidence)
    found = {}
    for address, cell in table.cells():
        # latency/TARGET/bBATCH/REGIME/BACKEND/COLUMN
        parts = address.split("/")
        if parts[-1] in COLUMNS and cell.value is not None:
            target, batch, regime, backend = parts[1:5]
            found[f"{regime}/{target}/{batch[1:]}/{backend}/{COLUMNS[parts[-1]]}"] = 1e6 * cell.value
    assert len(found) == len(VARIANTS) * len(QUANTILES)
    return found


def theirs(folder: Path, study: Path) -> dict[str, float]:
    """The same quantiles by variant, and by variant and process, in DuckDB."""
    import duckdb
    import pyarrow.dataset as ds

    shards = []
    for shard in sorted((folder / "runs" / "aggregate").glob("*/records/latency/*.arrow")):
        try:
            pa.ipc.open_file(pa.memory_map(str(shard)))
            shards.append(str(shard))
        except pa.ArrowInvalid:
            continue
    calls = ds.dataset(shards, format="ipc", schema=records.write.arrow_schema("latency"))  # noqa: F841
    names = (
        "regime, train_tasks, target_task, batch_size, impl, dtype, device_class, device_name, scenario, "
        "heads, lang, padding"
    )
    found = duckdb.sql(
        f"""
        SELECT {names}, process_rep, count(*),
               quantile_cont(wall_ns, {list(QUANTILES)}),
               quantile_cont(wall_ns + tokenize_ns, {list(QUANTILES)})
        FROM calls WHERE NOT is_warmup AND valid
        GROUP BY GROUPING SETS (({names}), ({names}, process_rep))
        """
    ).fetchall()
    return {
        f"{row[0]}/{row[2]}/{row[3]}/{row[4]}/{quantile}": value
        for row in found
        if row[12] is None
        for quantile, value in zip(QUANTILES, row[14], strict=True)
    }


def timed(
    side: Callable[[Path, Path], dict[str, float]], folder: Path, study: Path
) -> tuple[Any, float, float]:
    """What a side found, its seconds and the GiB that its process took."""
    start = time.perf_counter()
    found = side(folder, study)
    seconds = time.perf_counter() - start
    return found, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> int:
    """Prints the table and the bars; returns the exit code."""
    asked = arguments(str(__doc__).splitlines()[0])
    shards, rows = (SHARDS // 10 if asked.quick else SHARDS), ROWS
    folder = Path(tempfile.mkdtemp(prefix="aggregate-"))
    context = multiprocessing.get_context("spawn")
    try:
        study = write(folder, shards, rows)
        taken: dict[str, list[tuple[Any, float, float]]] = {"stilts": [], "DuckDB": []}
        for name, side in (("stilts", ours), ("DuckDB", theirs)):
            with ProcessPoolExecutor(1, mp_context=context) as pool:
                taken[name].append(pool.submit(timed, side, folder, study).result())
            say(f"{name} {taken[name][-1][1]:.1f} s")
    finally:
        shutil.rmtree(folder)
    print(machine("duckdb", "pyarrow", "numpy"))
    print(f"{shards * rows:,} calls in {shards:,} shards, {CORRUPT} of them corrupt\n")
    best = {name: min(one[1] for one in found) for name, found in taken.items()}
    memory = {name: max(one[2] for one in found) for name, found in taken.items()}
    lines = [(name, f"{best[name]:.1f}", f"{memory[name]:.2f}") for name in taken]
    print(tabulate(lines, headers=["", "seconds", "GiB"], tablefmt="github"), "\n")
    mine, other = taken["stilts"][0][0], taken["DuckDB"][0][0]
    worst = max(abs(mine[key] / other[key] - 1) for key in other)
    return verdict(
        [
            Bar(
                what="seconds over DuckDB's", value=best["stilts"] / best["DuckDB"], bound=1.2, side="at most"
            ),
            Bar(what="GiB", value=memory["stilts"], bound=2.0, side="at most"),
            Bar(what="largest relative difference", value=worst, bound=1e-6, side="at most"),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
