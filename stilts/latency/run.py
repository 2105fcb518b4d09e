"""Times a study's models on this machine: the runs that measure, one fresh process after the other.

What they need must be there, but for a pretrained model, which is made.
"""

import subprocess
import sys
from pathlib import Path

from hpc.children import environment
from hpc.errors import UserError
from stilts.run.folder import RunFolder
from stilts.run.specs import DeploySpec, LatencySpec, PrepareSpec, RunSpec
from stilts.study import grid
from stilts.study.loading import load_study


def run(name: str, runs: Path, *, is_dry: bool = False) -> int:
    """Carries out what is not done yet; the exit code says whether all of it is done then.

    Raises:
        UserError: nothing of the study is timed, or the models that it times are not trained yet.
    """
    study = load_study(name)
    plan = {run.id: run for run in (*grid.expand(study, "latency"), *grid.expand(study, "deploy"))}
    timed = [run for run in plan.values() if isinstance(run.asked, LatencySpec | DeploySpec)]
    if not timed:
        raise UserError(f"study {study.name} times nothing: it has no [latency] and no [deploy] with targets")
    first = [run for run in plan.values() if isinstance(run.asked, PrepareSpec)]
    folder = runs / study.name
    missing = [
        need
        for need in dict.fromkeys(need for run in timed for need in run.needs)
        if plan[need] not in first and RunFolder(folder / need).state() != "done"
    ]
    if missing:
        raise UserError(
            f"{len(missing)} models are not trained yet ({', '.join(missing[:3])} ...): "
            f"stilts launch --grid latency --study {name}",
            code=3,
        )
    steps = [*(one for one in first if any(one.id in run.needs for run in timed)), *timed]
    failed = 0
    for number, one in enumerate(steps, 1):
        here = RunFolder(folder / one.id)
        state = here.state()
        print(
            f"[{number}/{len(steps)}] {one.id}: {state if is_dry or state == 'done' else 'starts'}",
            flush=True,
        )
        if not is_dry and state != "done":
            failed += not _carry_out(here, one)
    return 1 if failed else 0


def _carry_out(here: RunFolder, one: RunSpec) -> bool:
    here.write_spec(one)
    command = [sys.executable, "-m", "stilts", "run", str(here.path)]
    return subprocess.run(command, check=False, env=environment()).returncode == 0
