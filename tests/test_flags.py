"""The flags of all commands: one word for one thing, and few of them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
FLAGS = {
    # what is looked at
    "--study", "--cluster", "--grid", "--only", "--runs", "--tables", "--model", "--tasks", "--languages",
    "--language", "--split", "--sources", "--source", "--limit", "--extent",
    # how
    "--batch-size", "--dtype", "--layer", "--pooling", "--seed", "--tokenizer", "--overwrite", "--incomplete",
    "--predict-only", "--dry-run", "--strict", "--explain", "--check-pdf", "--quick", "--check", "--show",
    "--traceback", "--hf", "--arch", "--against", "--wait", "--cancel",
    "--retry", "--write-only", "--watch", "--json", "--repetitions", "--all", "--report", "--margin",
    "--regime",
    # where to, and in what form
    "--output", "--format", "--formats", "--figure",
}  # fmt: skip


def test_no_command_has_another_flag() -> None:
    found = {
        flag
        for room in ("hpc", "kernels", "stilts")
        for path in (ROOT / room).rglob("*.py")
        for flag in re.findall(r'add(?:_argument)?\(\s*"(--[a-z-]+)"', path.read_text(encoding="utf-8"))
    }
    assert found == FLAGS
