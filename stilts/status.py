"""How the runs of a study stand: done, running, failed and why, planned.

    python -m stilts.status [--study mini] [--runs runs]

Read off their folders and SLURM's queue, never written.
"""

import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hpc.command import Parser, aligned, command
from hpc.errors import UserError, unknown_name
from hpc.slurm.queue import QueuedJob, queued, read_job
from stilts.launching.estimate import say_seconds
from stilts.launching.optional import resolve_optional
from stilts.launching.progress import last_line
from stilts.run.folder import RunFolder
from stilts.run.specs import RunSpec
from stilts.study.config import Study
from stilts.study.grid import expand
from stilts.study.loading import load_study

STATES = ("done", "running", "queued", "failed", "interrupted", "damaged", "stale", "planned")


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """One run: its state, and what is worth saying about it."""

    id: str
    stage: str
    state: str
    detail: str = ""


@command
def main(arguments: list[str]) -> int:
    """The command line; see `--help`."""
    parser = Parser("stilts.status", "How the runs of a study stand.")
    parser.add_argument("--study", metavar="NAME", help="name, or path of a TOML file (all that have runs)")
    parser.add_argument(
        "--runs", metavar="FOLDER", type=Path, default=Path("runs"), help="where runs lie (runs)"
    )
    asked = parser.parse_args(arguments)
    for name, planned in _studies(asked.study, asked.runs).items():
        standings = read(asked.runs / name, planned)
        print("\n".join(report(name, asked.runs / name, standings)))
    return 0


def read(root: Path, planned: Mapping[str, str]) -> list[Standing]:
    """How each run stands.

    Args:
        root: the study's folder of runs.
        planned: stage of each run the study asks for, by id.
    """
    folders = {path.parent.name: RunFolder(path.parent) for path in sorted(root.glob("*/spec.json"))}
    specs = {run_id: _spec(folder) for run_id, folder in folders.items()}
    known = {run_id: spec.stage for run_id, spec in specs.items() if spec is not None}
    stages = dict.fromkeys(folders, "unknown") | dict(planned) | known
    stages = {run_id: stages[run_id] for run_id in [*planned, *folders]}
    jobs = _jobs(folders)
    stale = _stale(specs, folders)
    return [
        _standing(run_id, stage, folders.get(run_id), jobs.get(run_id), stale.get(run_id))
        for run_id, stage in stages.items()
    ]


def report(name: str, root: Path, standings: Sequence[Standing]) -> Iterator[str]:
    """A count by stage and state, then a line for each run that is neither done nor planned."""
    yield f"{name}: {sum(run.state == 'done' for run in standings)} of {len(standings)} runs done, in {root}"
    shown = [state for state in STATES if any(run.state == state for run in standings)]
    counts = Counter((run.stage, run.state) for run in standings)
    stages = list(dict.fromkeys(run.stage for run in standings))
    rows = [("stage", *shown)]
    rows += [(stage, *(str(counts[stage, state] or "-") for state in shown)) for stage in stages]
    yield from aligned(rows, indent="  ")
    active = [run for run in standings if run.state not in ("done", "planned")]
    if active:
        yield ""
        order = {state: place for place, state in enumerate(STATES)}
        lines = [(run.state, run.id, run.detail) for run in sorted(active, key=lambda run: order[run.state])]
        yield from aligned(lines, indent="  ", left=3)


def _studies(asked: str | None, runs: Path) -> dict[str, dict[str, str]]:
    """Names of the studies to show, each with the runs it asks for."""
    here = sorted({path.parent.parent.name for path in runs.glob("*/*/spec.json")})
    if asked is None:
        if not here:
            raise UserError(f"no runs in {runs}; launch first: python -m stilts.launch --grid all", code=3)
        return {name: _planned(name, runs) for name in here}
    if asked in here:
        return {asked: _planned(asked, runs)}
    try:
        study = load_study(asked)
    except UserError:
        if here and "/" not in asked and not asked.endswith(".toml"):
            raise unknown_name("study", asked, here, where=str(runs)) from None
        raise
    return {study.name: _stages(study, runs)}


def _planned(name: str, runs: Path) -> dict[str, str]:
    """The runs of a study that ships; of a user's own only those are known that were launched."""
    with suppress(UserError):
        return _stages(load_study(name), runs)
    return {}


def _stages(study: Study, runs: Path) -> dict[str, str]:
    settled, _ = resolve_optional(study, runs / study.name)
    return {spec.id: spec.stage for spec in expand(settled, "all")}


def _jobs(folders: Mapping[str, RunFolder]) -> dict[str, tuple[str, QueuedJob | None]]:
    """Job id of each unfinished run that was submitted, and what the queue has of it."""
    records = {
        run_id: record["job_id"]
        for run_id, folder in folders.items()
        if not folder.done.exists() and (record := read_job(folder.submit)) and "job_id" in record
    }
    if not records or shutil.which("squeue") is None:
        return {run_id: (job_id, None) for run_id, job_id in records.items()}
    try:
        jobs = {job.job_id: job for job in queued()}
    except UserError as error:
        print(f"stilts: {error}; the queue is left out", file=sys.stderr)
        jobs = {}
    return {run_id: (job_id, jobs.get(job_id)) for run_id, job_id in records.items()}


def _spec(folder: RunFolder) -> RunSpec | None:
    """The specification of a run; None where it is damaged, which its state tells."""
    try:
        return folder.read_spec()
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
    job: tuple[str, QueuedJob | None] | None,
    stale: str | None,
) -> Standing:
    state: str = folder.state() if folder else "planned"
    details = []
    if folder and state in ("running", "interrupted"):
        details.append(_progress(folder))
    if folder and state == "failed":
        details.append(_failure(folder))
    if folder and state == "damaged":
        details.append(folder.damage())
    if state == "done" and stale:
        state = "stale"
        details.append(f"data have changed: {stale}")
    if job and state != "done":
        job_id, found = job
        details.append(f"job {job_id}" + (f" {found.state.lower()}" if found else ""))
        if found and found.reason not in ("None", ""):
            details.append(found.reason)
        if found and state != "running":
            state = "queued"
    return Standing(id=run_id, stage=stage, state=state, detail=", ".join(filter(None, details)))


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
    if failure is None:
        return ""
    reason = failure.error
    logs = sorted(folder.submit.glob("log-*.txt"), key=lambda path: path.stat().st_mtime)
    return f"{reason}; log {logs[-1]}" if logs else reason


if __name__ == "__main__":
    sys.exit(main())
