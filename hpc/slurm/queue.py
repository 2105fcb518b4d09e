"""What SLURM still has of ours, in one squeue call.

Asked with a format of our own: the layout of --json changes with every version of SLURM.
"""

import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpc.errors import UserError
from hpc.files import read_json, write_json

JOB_FILE = "job.json"
_KEPT = ("SLURM_CONF",)
_LEAKING = ("SLURM_", "SBATCH_", "SRUN_", "SUBMITIT_", "PMI", "SPANK_")


@dataclass(frozen=True, kw_only=True, slots=True)
class QueuedJob:
    """One job or array element in the queue."""

    job_id: str
    state: str
    reason: str
    token: str

    @property
    def never_startable(self) -> bool:
        """Waits for something that will never come."""
        return self.reason == "DependencyNeverSatisfied"


def queued() -> list[QueuedJob]:
    """Our jobs that have not ended.

    Raises:
        UserError: squeue is missing or does not answer.
    """
    lines = run(["squeue", "--me", "--array", "--noheader", "--format=%i|%T|%r|%k"]).splitlines()
    fields = [line.strip().split("|", 3) for line in lines if line.count("|") >= 3]
    return [
        QueuedJob(job_id=job_id, state=state, reason=reason, token=token)
        for job_id, state, reason, token in fields
    ]


def cancel(job_ids: Iterable[str]) -> None:
    """Takes jobs out of the queue."""
    given = sorted(set(job_ids))
    if given:
        run(["scancel", *given])


def read_job(folder: Path) -> dict[str, Any] | None:
    """What was written down when the node with this folder was last submitted."""
    try:
        record = read_json(folder / JOB_FILE)
    except (FileNotFoundError, UserError):
        # A torn note is no note: the job is found by its token, or submitted anew.
        return None
    return record if isinstance(record, dict) else None


def write_job(folder: Path, record: dict[str, Any]) -> None:
    """Writes `job.json`, whole or not at all."""
    write_json(folder / JOB_FILE, record)


def clean_environment() -> dict[str, str]:
    """The environment without what an outer job left in it, which sbatch and srun would take for options."""
    return {
        name: value for name, value in os.environ.items() if name in _KEPT or not name.startswith(_LEAKING)
    }


def run(command: list[str]) -> str:
    """Runs a SLURM command and returns its output.

    Raises:
        UserError: it is not there (code 3), or failed.
    """
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            env=clean_environment(),
            encoding="utf-8",
            errors="replace",
        )
    except FileNotFoundError as error:
        raise UserError(
            f"{command[0]} is not on PATH: launch from a login node of the cluster, or use --cluster local",
            code=3,
        ) from error
    except subprocess.TimeoutExpired as error:
        raise UserError(f"{command[0]} did not answer within 60 s; try again later", code=1) from error
    except subprocess.CalledProcessError as error:
        reason = (
            error.stderr.strip() or error.stdout.strip() or f"exit code {error.returncode}"
        ).splitlines()
        raise UserError(f"{command[0]} failed: {reason[0]}", code=1) from error
    return done.stdout
