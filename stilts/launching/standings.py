"""How each run of a study stands: its folder, SLURM's queue and SLURM's accounting in one verdict."""

import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from hpc.errors import Unreadable, UserError
from hpc.files import listing
from hpc.slurm import history
from hpc.slurm.logs import lost_rank
from hpc.slurm.queue import QueuedJob, numbers_of, queued, read_job
from hpc.slurm.reconcile import by_place, find
from stilts.launching.estimate import say_seconds
from stilts.launching.progress import last_line, seconds_to_end
from stilts.run.folder import RunFolder, run_folders
from stilts.run.specs import RunSpec

# In the order in which people want to see them.
State = Literal[
    "done",
    "running",
    "queued",
    "failed",
    "stuck",
    "lost",
    "blocked",
    "cancelled",
    "interrupted",
    "damaged",
    "stale",
    "planned",
]
"""`stuck`: queued, but no waiting will start it; `lost`: its job has left the queue, and nothing tells how;
`blocked`: what it needs has failed."""
ALARMING = ("failed", "stuck", "lost", "damaged")


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """One run: its state, and what is worth saying about it."""

    id: str
    stage: str
    state: State
    detail: str = ""
    log: str = ""
    """Where its last attempt printed to."""
    cause: str = ""
    """Of a failed job: which of the budgets in `[slurm.retries]` another try comes from, if any."""
    tries: int = 0
    """How often that has ended its jobs before."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """A study's runs."""

    runs: list[Standing]
    attempts: Mapping[str, list[history.Attempt]]
    """What SLURM has spent on each run that was submitted, by id."""
    unknown: Mapping[str, int] = field(default_factory=dict)
    """Jobs of a run that have left the queue, and of which accounting tells nothing, by id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Job:
    """What SLURM knows of a run."""

    record: Mapping[str, Any]
    queued: QueuedJob | None = None
    ended: history.Attempt | None = None
    is_asked: bool = False
    """Whether SLURM has answered at all."""


def read(root: Path, planned: Mapping[str, RunSpec]) -> Overview:
    """How each run stands, with one question to the queue and one to accounting.

    Args:
        root: the study's folder of runs.
        planned: the runs the study asks for, by id.
    """
    folders = {path.name: RunFolder(path) for path in run_folders(root)}
    specs = {run_id: _spec(folder, planned.get(run_id)) for run_id, folder in folders.items()}
    known = {run_id: spec.stage for run_id, spec in specs.items() if spec is not None}
    stages = (
        dict.fromkeys(folders, "unknown") | {run_id: spec.stage for run_id, spec in planned.items()} | known
    )
    stages = {run_id: stages[run_id] for run_id in [*planned, *folders]}
    jobs, attempts = _jobs(folders)
    stale = _stale(specs, folders)
    found = {
        run_id: _standing(
            run_id, stage, folders.get(run_id), specs.get(run_id), jobs.get(run_id), stale.get(run_id)
        )
        for run_id, stage in stages.items()
    }
    _block(found, specs)
    tried = {
        run_id: [attempt for number in numbers_of(job.record) for attempt in attempts.get(number, [])]
        for run_id, job in jobs.items()
    }
    unknown = {
        run_id: count
        for run_id, job in jobs.items()
        if job.is_asked and (count := sum(number not in attempts for number in _left_the_queue(job)))
    }
    return Overview(runs=list(found.values()), attempts=tried, unknown=unknown)


def _left_the_queue(job: _Job) -> list[str]:
    waiting = str(job.record.get("job_id")) if job.queued is not None else ""
    return [number for number in numbers_of(job.record) if number != waiting]


def _block(found: dict[str, Standing], specs: Mapping[str, RunSpec | None]) -> None:
    """Marks what waits in vain: SLURM cancels a job whose need has failed, and says no more of it."""
    moved = True
    while moved:
        moved = False
        for run_id, spec in specs.items():
            if spec is None or found[run_id].state not in ("planned", "cancelled", "interrupted"):
                continue
            culprits = [
                need
                for need in spec.needs
                if need in found and found[need].state in (*ALARMING, "blocked", "cancelled")
            ]
            if culprits:
                said = f"needs {culprits[0]}, which is {found[culprits[0]].state}"
                found[run_id] = replace(found[run_id], state="blocked", detail=said)
                moved = True


def _jobs(
    folders: Mapping[str, RunFolder],
) -> tuple[dict[str, _Job], dict[str, list[history.Attempt]]]:
    """What SLURM has of each run that was submitted, and every attempt by the job's number."""
    records = {run_id: record for run_id, folder in folders.items() if (record := _note(folder))}
    unasked = {run_id: _Job(record=record) for run_id, record in records.items()}
    if not records or shutil.which("squeue") is None:
        return unasked, {}
    try:
        places = by_place(queued())
    except UserError as error:
        print(f"stilts: {error}; the queue is left out", file=sys.stderr)
        return unasked, {}
    numbers = {number for record in records.values() for number in numbers_of(record)}
    since = min(map(history.first_unix, records.values()))
    attempts: dict[str, list[history.Attempt]] = {}
    try:
        attempts = history.attempts(numbers, since=since)
    except UserError as error:
        print(f"stilts: {error}; how jobs ended is not known", file=sys.stderr)
    ended = history.last_of(attempts)
    jobs = {}
    for run_id, record in records.items():
        job = find(record, places)
        last = None if job else ended.get(str(record.get("job_id", "")))
        jobs[run_id] = _Job(record=record, queued=job, ended=last, is_asked=True)
    return jobs, attempts


def _note(folder: RunFolder) -> dict[str, Any] | None:
    try:
        return read_job(folder.submit)
    except Unreadable as error:
        print(f"stilts: {error}; its job is left out", file=sys.stderr)
        return None


def _spec(folder: RunFolder, planned: RunSpec | None) -> RunSpec | None:
    """The specification of a run; None where it is damaged, which its state tells."""
    try:
        return folder.read_spec(planned)
    except UserError:
        return None


def _stale(specs: Mapping[str, RunSpec | None], folders: Mapping[str, RunFolder]) -> dict[str, str]:
    from stilts.data.staleness import stale_runs

    there = [spec for spec in specs.values() if spec is not None]
    # Parents first, whatever the names.
    ordered: dict[str, RunSpec] = {}
    while len(ordered) < len(there):
        ready = [
            spec
            for spec in there
            if spec.id not in ordered and all(need in ordered or need not in specs for need in spec.needs)
        ]
        ordered |= {spec.id: spec for spec in ready}
        if not ready:
            break
    return stale_runs((spec, folders[run_id]) for run_id, spec in ordered.items())


def _standing(
    run_id: str,
    stage: str,
    folder: RunFolder | None,
    spec: RunSpec | None,
    job: _Job | None,
    stale: str | None,
) -> Standing:
    if folder is None:
        return Standing(id=run_id, stage=stage, state="planned")
    details: list[str] = []
    try:
        state: State = folder.state(spec)
        if state == "damaged":
            details.append(folder.damage())
    except Unreadable as error:
        return Standing(id=run_id, stage=stage, state="damaged", detail=str(error))
    if state in ("running", "interrupted"):
        details.append(_progress(folder))
    if state == "running" and (left := seconds_to_end(folder.progress)):
        details.append(f"about {say_seconds(left)} left")
    if state == "failed":
        details.append(_failure(folder))
    if state == "done" and stale:
        state = "stale"
        details.append(f"data have changed: {stale}")
    if job and state not in ("done", "stale"):
        state, said = _with_job(state, job)
        details.append(said)
    cause = job.ended.cause if job and job.ended and state == "failed" else ""
    lost = lost_rank(Path(job.record["log"])) if job and "log" in job.record and state == "failed" else ""
    if lost:
        # What the other ranks wrote is only the consequence.
        details = [lost, job.ended.said if job and job.ended else ""]
    return Standing(
        id=run_id,
        stage=stage,
        state=state,
        detail=", ".join(filter(None, details)),
        log=str(job.record.get("log", "")) if job else _last_log(folder),
        cause=cause,
        tries=job.record.get("retried", {}).get(cause, 0) if job else 0,
    )


def _with_job(state: State, job: _Job) -> tuple[State, str]:
    """The state with what SLURM knows, and what is to be said of it."""
    found, ended = job.queued, job.ended
    if found is not None:
        said = f"job {found.job_id} {found.state.lower()}"
        if found.never_startable:
            return "stuck", f"{said}, and cannot start: {found.reason}"
        if found.is_held:
            return "stuck", f"{said}, held: scontrol release {found.job_id} lets it start"
        reason = f", {found.reason}" if found.reason not in ("None", "") else ""
        begins = f", to start {found.start}" if found.start and found.state == "PENDING" else ""
        return "running" if state == "running" else "queued", said + reason + begins
    if "job_id" not in job.record:
        return state, "submitted, it seems; the next launch finds out"
    if ended is None and state in ("planned", "interrupted") and job.is_asked:
        return "lost", f"job {job.record['job_id']} has left the queue, and sacct does not tell how"
    if ended is None or state == "running":
        return state, f"job {job.record['job_id']}"
    if ended.is_cancelled:
        return "cancelled", ended.said
    return "failed", "" if state == "failed" and ended.state == "FAILED" else ended.said


def _progress(folder: RunFolder) -> str:
    line = last_line(folder.progress)
    if not line:
        return "no sign yet"
    age = say_seconds(max(0.0, time.time() - line["unix"]))
    return ", ".join(
        filter(None, [f"{line['done']}/{line['total']} {line['unit']}", line["note"], f"{age} ago"])
    )


def _failure(folder: RunFolder) -> str:
    failure = folder.failure()
    return failure.error if failure else ""


def _last_log(folder: RunFolder) -> str:
    """Of a run without a job: what the local executor kept of its last attempt."""
    try:
        logs = sorted(listing(folder.submit, "log-*.txt"), key=lambda path: path.stat().st_mtime)
    except Unreadable:
        return ""
    return str(logs[-1]) if logs else ""
