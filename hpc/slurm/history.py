"""How jobs that have left the queue ended, in one sacct call."""

import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpc.slurm.queue import numbers_of, run

_IN_WORDS = {
    "TIMEOUT": "met its time limit",
    "OUT_OF_MEMORY": "ran out of memory (memory_gb of its shape)",
    "NODE_FAIL": "lost its node",
    "BOOT_FAIL": "lost its node",
    "DEADLINE": "met its deadline",
    "PREEMPTED": "was preempted",
    "COMPLETED": "has ended, but the run is not done",
}
_CAUSES = {
    "TIMEOUT": "time_limit",
    "OUT_OF_MEMORY": "out_of_memory",
    "NODE_FAIL": "node_lost",
    "BOOT_FAIL": "node_lost",
    "PREEMPTED": "preempted",
}
_FORMAT = "JobID,State,ExitCode,ElapsedRaw,NCPUS,AllocTRES,Start"
_MORE_MEMORY = 1.5
# Still on its way, whatever the queue said a moment ago.
_ALIVE = ("PENDING", "RUNNING", "REQUEUED", "SUSPENDED", "COMPLETING", "CONFIGURING", "RESIZING")


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One time that a job ran; after a requeue there is another."""

    job_id: str
    state: str
    """The first word of SLURM's."""
    exit_code: str
    """Code and signal, such as 1:0."""
    cpu_hours: float
    gpu_hours: float

    @property
    def is_over(self) -> bool:
        """Whether the job has ended with it."""
        return self.state not in _ALIVE

    @property
    def is_cut_short(self) -> bool:
        """It has ended before the job's work was done, whoever went on with it."""
        return self.state == "REQUEUED" or (self.is_over and self.state != "COMPLETED")

    @property
    def is_cancelled(self) -> bool:
        """Taken out by a person, or by SLURM because what it waited for cannot come."""
        return self.state == "CANCELLED"

    @property
    def cause(self) -> str:
        """Which of the budgets in `[slurm.retries]` trying again comes from; empty for an error."""
        return _CAUSES.get(self.state, "")

    @property
    def said(self) -> str:
        """What happened, in words."""
        if self.is_cancelled:
            return f"job {self.job_id} was cancelled"
        ended = _IN_WORDS.get(self.state, f"ended {self.state.lower()} with code {self.exit_code}")
        return f"job {self.job_id} {ended}"


def attempts(job_ids: Collection[str], *, since: float) -> dict[str, list[Attempt]]:
    """All attempts of each job in their order; jobs that SLURM's accounting does not know are missing.

    Args:
        job_ids: as squeue writes them.
        since: Unix time before which none was submitted.

    Raises:
        UserError: sacct is missing, does not answer, or accounting is off.
    """
    if not job_ids:
        return {}
    start = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(since - 60))
    wanted = ",".join(sorted({job_id.partition("_")[0] for job_id in job_ids}))
    command = ["sacct", "--allocations", "--duplicates", "--noheader", "--parsable2", f"--starttime={start}"]
    lines = run([*command, f"--jobs={wanted}", f"--format={_FORMAT}"]).splitlines()
    found: dict[str, list[Attempt]] = {}
    # Unknown, of one that has not begun, comes behind every date.
    whole = (line for line in lines if line.count("|") == _FORMAT.count(","))
    for line in sorted(whole, key=lambda line: line.split("|")[-1]):
        job_id, state, code, seconds, cpus, tres, _ = line.split("|")
        hours = int(seconds or 0) / 3600
        # All, or by sort, or both.
        gpus = re.findall(r"gres/gpu(?::[^=,]+)?=(\d+)", tres)
        for one in _elements(job_id):
            if one in job_ids:
                attempt = Attempt(
                    job_id=one,
                    state=state.partition(" ")[0],
                    exit_code=code,
                    cpu_hours=hours * int(cpus or 0),
                    gpu_hours=hours * max(map(int, gpus), default=0),
                )
                found.setdefault(one, []).append(attempt)
    return found


def ended(job_ids: Collection[str], *, since: float) -> dict[str, Attempt]:
    """The last attempt of each job that has ended; see `attempts`."""
    return last_of(attempts(job_ids, since=since))


def last_of(found: Mapping[str, Sequence[Attempt]]) -> dict[str, Attempt]:
    """The last attempt of each job, where the job has ended with it."""
    return {job_id: tries[-1] for job_id, tries in found.items() if tries[-1].is_over}


def carried_over(record: Mapping[str, Any], last: Attempt | None, memory_gb: float) -> dict[str, Any]:
    """What the note of a run's next job keeps of the one before.

    Args:
        record: the note of the last job.
        last: how that ended, if SLURM knows.
        memory_gb: what the run's shape has today.

    Returns:
        `earlier`, the numbers of all jobs before, and `first_unix`, since when; `retried`, how many of them
        each cause ended; and `memory_gb` to ask for, which grows when a job ran out of it.
    """
    retried = dict(record.get("retried", {}))
    if last and last.cause:
        retried[last.cause] = retried.get(last.cause, 0) + 1
    if retried.get("out_of_memory"):
        grown = _MORE_MEMORY if last and last.cause == "out_of_memory" else 1.0
        memory_gb = max(memory_gb, grown * float(record.get("memory_gb", 0.0)))
    kept = {"earlier": numbers_of(record), "retried": retried, "memory_gb": memory_gb}
    return kept | ({"first_unix": first_unix(record)} if record else {})


def first_unix(record: Mapping[str, Any]) -> float:
    """When the first of a run's jobs was submitted: accounting asked since later leaves its cost out."""
    return float(record.get("first_unix", record.get("submitted_unix", 0.0)))


def _elements(job_id: str) -> Iterator[str]:
    """The jobs a row of sacct tells of: elements of an array that never started share a row."""
    array, _, places = job_id.partition("_")
    if not places.startswith("["):
        yield job_id
        return
    for part in places.strip("[]").partition("%")[0].split(","):
        first, _, last = part.partition("-")
        if first.isdigit() and (last or first).isdigit():
            yield from (f"{array}_{place}" for place in range(int(first), int(last or first) + 1))
