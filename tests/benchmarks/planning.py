"""How long planning takes, in fresh processes: `python tests/benchmarks/planning.py`.

Bars: --help and --dry-run of mini within 1 s; of 3,000 runs that are done, whole, with all they wrote: plan,
launch with nothing left and status within 2 s each.
Each is given beside the start of a bare interpreter in the same run. Exit code 1 when a bar is missed.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tabulate import tabulate

from tables import write

ROOT = Path(__file__).parents[2]
STUDIES = ROOT / "stilts" / "study" / "studies"
TINY = STUDIES / "tiny.toml"
REPEATS = 5


def seconds(command: list[str]) -> float:
    """Median wall time of a command."""
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main() -> int:
    """Prints the table; returns the exit code."""
    launch = [sys.executable, "-m", "stilts.launch"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        many, count = write(folder, 20, 0)
        tiny = [*launch, "--grid", "baselines", "--study", str(TINY), "--runs", str(folder / "tiny")]
        subprocess.run(tiny, cwd=ROOT, check=True, capture_output=True)
        done = ["--study", str(many), "--runs", str(folder / "runs")]
        asked = [
            ("bare interpreter", [sys.executable, "-c", ""], None),
            ("launch --help", [*launch, "--help"], 1.0),
            ("launch --dry-run, mini", [*launch, "--grid", "all", "--dry-run"], 1.0),
            ("launch with nothing left, tiny", tiny, 1.0),
            (f"launch --dry-run, {count:,} runs", [*launch, "--grid", "all", "--dry-run", *done], 2.0),
            (f"launch with nothing left, {count:,} runs", [*launch, "--grid", "all", *done], 2.0),
            (f"status, {count:,} runs", [sys.executable, "-m", "stilts.status", *done], 2.0),
        ]
        rows = [(what, seconds(command), bar) for what, command, bar in asked]
    shown = [(what, f"{took:.2f}", "" if bar is None else f"{bar:.1f}") for what, took, bar in rows]
    print(tabulate(shown, headers=["what", "seconds", "bar"], tablefmt="github", stralign="right"))
    return int(any(bar is not None and took > bar for _, took, bar in rows))


if __name__ == "__main__":
    sys.exit(main())
