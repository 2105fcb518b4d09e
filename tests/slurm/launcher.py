"""Submits the plan of a folder, and dies at a step of it: `launcher.py FOLDER STEP`.

Steps are counted before and after each note and each sbatch; without STEP it says how many there were.
"""

import json
import os
import sys
from pathlib import Path

from hpc.jobs import Call, Node, Shape
from hpc.slurm import queue
from hpc.slurm.executor import SlurmExecutor
from hpc.slurm.settings import SlurmSettings

SHAPE = Shape(memory_gb=0.1, minutes=20)
PLAN = {"root": (), "a": ("root",), "b": ("root",), "c": ("root",)} | {
    f"{name}.eval": (name,) for name in "abc"
}


def nodes(folder: Path) -> list[Node]:
    """Those that have not ended, as a launch plans them."""
    out = folder / "out"
    out.mkdir(parents=True, exist_ok=True)
    left = {name for name in PLAN if not (out / f"{name}.ended").exists()}
    return [
        Node(
            name=name,
            call=Call("tests.slurm.toys:work", {"out": str(out), "name": name, "needs": list(needs)}),
            needs=tuple(need for need in needs if need in left),
            shape=SHAPE,
            folder=folder / name,
        )
        for name, needs in PLAN.items()
        if name in left
    ]


def executor(folder: Path) -> SlurmExecutor:
    settings = SlurmSettings(retry_seconds=0.5, signal_lead_seconds=30)
    return SlurmExecutor(settings=settings, folder=folder / "slurm")


def dying_at(step: int) -> list[int]:
    """Has this process end at a step; returns the counter of steps."""
    count = [0]

    def passing(function):
        def called(*arguments, **how):
            tick()
            answer = function(*arguments, **how)
            tick()
            return answer

        return called

    def tick() -> None:
        count[0] += 1
        if count[0] == step:
            os._exit(99)

    from submitit.core import utils

    queue.write_job = passing(queue.write_job)
    utils.CommandFunction.__call__ = passing(utils.CommandFunction.__call__)
    return count


def main() -> None:
    folder, step = Path(sys.argv[1]), int(sys.argv[2])
    count = dying_at(step)
    executor(folder).run(nodes(folder), lambda _: None)
    print(json.dumps(count[0]))


if __name__ == "__main__":
    main()
