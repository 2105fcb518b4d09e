"""Times the fused kernels against their peers: `python -m kernels.bench`.

Exit codes: 0 all right, 1 one of our kernels is wrong or unavailable, 2 the request cannot be met,
3 a package is missing.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kernels.command import WrongRequest, command

if TYPE_CHECKING:
    from kernels.bench.case import Case, Plan
    from kernels.bench.report import Report
    from kernels.bench.timing import GpuStopwatch

FAMILIES = ("attention", "rows")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    out = argparse.ArgumentParser(
        prog="python -m kernels.bench", description="Time the kernels against their peers on a GPU."
    )
    out.add_argument("--output", type=Path, metavar="FILE.json", help="also write every figure there")
    out.add_argument("--quick", action="store_true", help="a few batches and calls: minutes, not an hour")
    out.add_argument("--only", nargs="+", choices=FAMILIES, default=FAMILIES, help="these families")
    return out


@command("kernels.bench")
def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; the exit code."""
    options = parser().parse_args(argv)
    if options.output and not options.output.resolve().parent.is_dir():
        raise WrongRequest(f"no folder {options.output.resolve().parent}")
    import torch

    if not torch.cuda.is_available():
        raise WrongRequest(f"needs a CUDA device, and torch {torch.__version__} sees none")
    with tempfile.TemporaryDirectory(prefix="kernels-bench-", ignore_cleanup_errors=True) as caches:
        # Empty caches, or the seconds to compile would be those of an earlier run.
        os.environ["TRITON_CACHE_DIR"] = os.path.join(caches, "triton")
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = os.path.join(caches, "inductor")
        return bench(options.only, "quick" if options.quick else "full", options.output)


def bench(families: Sequence[str], extent: str, output: Path | None) -> int:
    """Times on the present GPU, prints, and writes after every case, so that nothing is lost."""
    from kernels.bench import goals, machine, report as reports
    from kernels.bench.timing import GpuStopwatch

    stopwatch = GpuStopwatch()
    report = reports.Report(
        machine=machine.describe() | {"chip": stopwatch.chip.name if stopwatch.chip else None},
        extent=extent,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        tiles=machine.chosen_tiles(machine.architecture()),
        overhead_us=stopwatch.overhead(),
    )
    if stopwatch.chip is None:
        print(f"{report.machine['gpu']}: its limits are not known here, so no roofline", file=sys.stderr)
    for family in families:
        _family(family, extent, stopwatch, report, output)
        for cause in machine.slowed(machine.snapshot()):
            print(f"{family}: the clock was held back by {cause}", file=sys.stderr)
    report.machine["after"] = machine.snapshot()
    report.goals = goals.judge(report.rows, stopwatch.chip)
    if output:
        report.write(output)
    reports.show(report)
    ours = [row for row in report.rows if not row.variant.startswith(goals.PEERS)]
    return int(any(row.status != "ok" for row in ours))


def _family(
    family: str, extent: str, stopwatch: "GpuStopwatch", report: "Report", output: Path | None
) -> None:
    from kernels.bench import case as cases

    makers = list(_makers(family, extent))
    plan = _plan(extent)
    for number, make in enumerate(makers, 1):
        started = time.perf_counter()
        case = make()
        rows = cases.run(case, stopwatch, plan)
        report.rows += rows
        for row in rows:
            report.fallbacks += [reason for reason in row.fallbacks if reason not in report.fallbacks]
        if output:
            report.write(output)
        took = time.perf_counter() - started
        where = f"{family} {number}/{len(makers)}: {case.kernel} {case.workload.name}"
        print(f"{where}, {took:.1f} s", file=sys.stderr, flush=True)


def _makers(family: str, extent: str) -> Iterator[Callable[[], "Case"]]:
    """The cases of a family, each made when its turn comes."""
    import functools

    import torch

    from kernels.bench import attention, rowwise, workloads
    from kernels.bench.roofline import LARGE

    loads = workloads.workloads("quick" if extent == "quick" else "full")
    if family == "attention":
        for load in loads:
            yield functools.partial(
                attention.case,
                load,
                heads=LARGE.heads,
                head_dim=LARGE.head_dim,
                dtype=torch.bfloat16,
                device="cuda",
            )
    else:
        for load in {load.tokens: load for load in reversed(loads)}.values():
            yield from rowwise.cases(load, shape=LARGE, dtype=torch.bfloat16, device="cuda")


def _plan(extent: str) -> "Plan":
    from kernels.bench.case import Plan

    if extent == "quick":
        return Plan(fewest=20, most=100, seconds=0.3, rounds=2)
    return Plan()


if __name__ == "__main__":
    sys.exit(main())
