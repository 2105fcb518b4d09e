"""What SLURM still has of ours, in one squeue call.

Asked with a format of our own: the layout of --json changes with every version of SLURM.
"""

import os
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpc.errors import Unreadable, UserError
from hpc.files import read_json, write_json
from hpc.slurm.answers import Passing, clean_environment, refusal

JOB_FILE = "job.json"
_PATIENCE = 60.0


# Reasons that no waiting cures, as squeue writes them: the shape fits no node, or the user may not have it.
_NEVER = (
    "DependencyNeverSatisfied",
    "PartitionConfig",
    "PartitionNodeLimit",
    "PartitionTimeLimit",
    "BadConstraints",
    "AccountNotAllowed",
    "QOSNotAllowed",
    "InvalidAccount",
    "InvalidQOS",
    "AssociationTimeLimit",
    "AssociationResourceLimit",
    "AssocMaxCpuPerJobLimit",
    "AssocMaxWallDurationPerJobLimit",
    "QOSMaxWallDurationPerJobLimit",
    "QOSMaxCpuPerJobLimit",
    "QOSMaxGRESPerJob",
    "launch failed requeued held",
)
# A job that has ended but not left: it will not do the run any more, unless SLURM puts it back.
_ENDING = ("COMPLETING", "STAGE_OUT", "SIGNALING")
_HELD = ("JobHeldUser", "JobHeldAdmin")
Place = tuple[str, str]


def place_of(token: str, element: str, job_id: str) -> Place:
    """What tells a job from all others: numbers are given again, so one by hand alone goes by its number."""
    return (token, element) if token else ("", job_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class QueuedJob:
    """One job or array element in the queue."""

    job_id: str
    state: str
    reason: str
    token: str
    """The comment it was submitted with: one for a whole array; empty of a job submitted by hand."""
    start: str = ""
    """When SLURM expects it to start, or when it did; empty where unknown."""

    @property
    def never_startable(self) -> bool:
        """Waits for something that will never come."""
        return self.state == "PENDING" and any(self.reason.startswith(reason) for reason in _NEVER)

    @property
    def is_ending(self) -> bool:
        """Has ended, and SLURM still tidies up after it."""
        return self.state in _ENDING

    @property
    def is_held(self) -> bool:
        """Waits for a person to release it."""
        return self.reason in _HELD

    @property
    def element(self) -> str:
        """Its place in its array; empty of a job that is alone."""
        return self.job_id.partition("_")[2]

    @property
    def place(self) -> Place:
        """What tells it from all others."""
        return place_of(self.token, self.element, self.job_id)


def queued() -> list[QueuedJob]:
    """Our jobs that have not left the queue.

    Raises:
        Passing: squeue did not answer.
        UserError: it is missing, or failed.
    """
    # The comment stands last: it may hold anything.
    lines = run(["squeue", "--me", "--array", "--noheader", "--format=%i|%T|%r|%S|%k"]).splitlines()
    fields = [line.strip().split("|", 4) for line in lines if line.count("|") >= 4]
    return [
        QueuedJob(
            job_id=job_id,
            state=state,
            reason=reason,
            token="" if token == "(null)" else token,
            start="" if start == "N/A" else start,
        )
        for job_id, state, reason, start, token in fields
    ]


def cancel(job_ids: Iterable[str]) -> None:
    """Takes jobs out of the queue."""
    given = sorted(set(job_ids))
    if given:
        run(["scancel", *given])


def read_job(folder: Path) -> dict[str, Any] | None:
    """What was written down when the node with this folder was last submitted.

    Raises:
        Unreadable: the system does not give it, so that there may well be a job.
    """
    try:
        record = read_json(folder / JOB_FILE)
    except Unreadable:
        raise
    except (FileNotFoundError, UserError):
        # A torn note is no note: the job is found by its token, or submitted anew.
        return None
    return record if isinstance(record, dict) and isinstance(record.get("token"), str) else None


def numbers_of(record: Mapping[str, Any]) -> list[str]:
    """All jobs that a note tells of, the last one last."""
    return [*record.get("earlier", []), *([str(record["job_id"])] if "job_id" in record else [])]


def write_job(folder: Path, record: dict[str, Any]) -> None:
    """Writes `job.json`, whole or not at all."""
    write_json(folder / JOB_FILE, record)


def note_attempt(folder: Path) -> None:
    """Writes down the job this process runs in, where the run's folder knows of another or of none.

    A run submitted by hand is thereby found by the next launch.
    """
    job_id, record = own_job(), read_job(folder) or {"token": ""}
    if not job_id or record.get("job_id") == job_id:
        return
    # A note without a number is of a launcher that was killed before it learnt it: this is its job.
    if "job_id" in record:
        now = time.time()
        first = record.get("first_unix", record.get("submitted_unix", now))
        record = {"token": "", "earlier": numbers_of(record), "submitted_unix": now, "first_unix": first}
    write_job(folder, {"submitted_unix": time.time(), **record, "job_id": job_id})


def own_job() -> str:
    """The job this process belongs to, as squeue writes it; empty outside SLURM."""
    array, element = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    return f"{array}_{element}" if array and element else os.environ.get("SLURM_JOB_ID", "")


def run(command: list[str]) -> str:
    """Runs a SLURM command and returns its output.

    Raises:
        Passing: it did not answer.
        UserError: it is not there (code 3), or failed.
    """
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
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
        raise Passing(f"{command[0]}: no answer within {_PATIENCE:g} s", code=1) from error
    except subprocess.CalledProcessError as error:
        raise refusal(command[0], error.stderr or error.stdout) from error
    return done.stdout
