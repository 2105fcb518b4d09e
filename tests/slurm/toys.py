"""What the jobs of these tests do: one line a beginning and one an end, in a file of the test's."""

import os
import sys
import time
from pathlib import Path

from hpc.errors import Busy, UserError


def work(out: str, name: str, seconds: float = 0.0, needs: tuple[str, ...] = (), fail: bool = False) -> None:
    """Refuses to begin before what it needs has ended."""
    folder = Path(out)
    with open(folder / f"{name}.begun", "a") as file:
        file.write("x\n")
    for need in needs:
        if not (folder / f"{need}.ended").exists():
            (folder / f"{name}.orphan").touch()
            raise UserError(f"{name} needs {need}")
    if (folder / f"{name}.busy").exists():
        (folder / f"{name}.busy").unlink()
        raise Busy("another is at it")
    time.sleep(seconds)
    if fail:
        sys.exit(3)
    (folder / f"{name}.ended").touch()


def touch(variable: str) -> None:
    """Makes the file that an environment variable names."""
    Path(os.environ[variable]).touch()
