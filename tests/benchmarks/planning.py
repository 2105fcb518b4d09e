"""How long planning takes, in fresh processes: `python tests/benchmarks/planning.py`.

Bars: --help, --dry-run of mini and the status of 2,000 runs within 1 s; a plan of 2,000 runs and a launch
with nothing left within 2 s.
Each is given beside the start of a bare interpreter in the same run. Exit code 1 when a bar is missed.
"""

import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tabulate import tabulate

ROOT = Path(__file__).parents[2]
STUDIES = ROOT / "stilts" / "study" / "studies"
MINI, TINY = STUDIES / "mini.toml", STUDIES / "tiny.toml"
REPEATS = 5


def seconds(command: list[str]) -> float:
    """Median wall time of a command."""
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def many_seeds(folder: Path) -> Path:
    """The mini study with so many seeds that it plans more than 2,000 runs."""
    text = MINI.read_text()
    seeds = ", ".join(map(str, range(1, 27)))
    text = re.sub(r"^seeds = .*$", f"seeds = [{seeds}]", text, flags=re.MULTILINE)
    path = folder / "many.toml"
    path.write_text(text.replace('name = "mini"', 'name = "many"'))
    return path


def main() -> int:
    """Prints the table; returns the exit code."""
    launch = [sys.executable, "-m", "stilts.launch"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        many = many_seeds(folder)
        tiny = [*launch, "--grid", "baselines", "--study", str(TINY), "--runs", str(folder / "runs")]
        subprocess.run(tiny, cwd=ROOT, check=True, capture_output=True)
        written = ["--study", str(many), "--runs", str(folder / "written")]
        subprocess.run(
            [*launch, "--grid", "all", *written, "--write-only"], cwd=ROOT, check=True, capture_output=True
        )
        asked = [
            ("bare interpreter", [sys.executable, "-c", ""], None),
            ("launch --help", [*launch, "--help"], 1.0),
            ("launch --dry-run, mini", [*launch, "--grid", "all", "--dry-run"], 1.0),
            (
                "launch --dry-run, over 2,000 runs",
                [*launch, "--grid", "all", "--dry-run", "--study", str(many)],
                2.0,
            ),
            ("launch with nothing left", tiny, 2.0),
            ("status, over 2,000 runs", [sys.executable, "-m", "stilts.status", *written], 1.0),
        ]
        rows = [(what, seconds(command), bar) for what, command, bar in asked]
    shown = [(what, f"{took:.2f}", "" if bar is None else f"{bar:.1f}") for what, took, bar in rows]
    print(tabulate(shown, headers=["what", "seconds", "bar"], tablefmt="github", stralign="right"))
    return int(any(bar is not None and took > bar for _, took, bar in rows))


if __name__ == "__main__":
    sys.exit(main())
