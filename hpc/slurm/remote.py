"""What a SLURM job unpickles: a call by name, requeued as it is upon a time limit or a preemption."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from hpc.ending import Ending
from hpc.errors import Busy
from hpc.jobs import Call
from hpc.slurm.queue import own_job

_MOST_RESTARTS = 50
_PATIENCE_SECONDS = 600.0


@dataclass(frozen=True)
class RemoteCall:
    """Carries a `Call` to the job. After a requeue the same call is made, which resumes from its files."""

    call: Call
    name: str
    """The run's: elements of an array begin with one name for all."""

    def __call__(self) -> None:
        """Makes the call, in every rank."""
        ending = Ending()
        if os.environ.get("SLURM_PROCID") == "0" and "SLURM_ARRAY_TASK_ID" in os.environ:
            _rename(self.name)
        try:
            self.call.run()
        except Busy:
            _put_back()
            raise
        ending.code = 0

    def checkpoint(self) -> Any:
        """What submitit puts back into the queue. It looks for a method of exactly this name."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def _put_back() -> None:
    """Requeues a job that found another at its work, and waits to be ended: failing would end its children.

    Returns where SLURM will not: the job has been put back too often, or may not be.
    """
    if int(os.environ.get("SLURM_RESTART_COUNT", "0")) >= _MOST_RESTARTS:
        return
    print(f"another process is at this work: job {own_job()} goes back into the queue", file=sys.stderr)
    with suppress(OSError, subprocess.SubprocessError):
        subprocess.run(["scontrol", "requeue", own_job()], capture_output=True, timeout=60, check=True)
        time.sleep(_PATIENCE_SECONDS)


def _rename(name: str) -> None:
    """Gives the job its run's name in squeue and sacct; without it the job does as well."""
    with suppress(OSError, subprocess.SubprocessError):
        command = ["scontrol", "update", f"JobId={own_job()}", f"JobName={name}"]
        subprocess.run(command, capture_output=True, timeout=10, check=False)
