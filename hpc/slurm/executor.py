"""Submits a whole plan to SLURM and returns; `squeue` and the run folders tell how it goes on."""

import os
import re
import shlex
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from hpc.errors import UserError
from hpc.graph import ordered
from hpc.jobs import Event, Node, Outcome, Shape, State, Watch
from hpc.settings import Line, Pattern, Range
from hpc.slurm import queue
from hpc.slurm.groups import Group, groups
from hpc.slurm.remote import RemoteCall

_ROOT = Path(__file__).resolve().parents[2]
_PASSING = re.compile(
    r"timed out|temporarily|unable to contact slurm controller|connection refused|try again", re.IGNORECASE
)
_ATTEMPTS = 4

_Word = Annotated[
    str,
    Pattern(regex=r"[A-Za-z0-9_.,:|&*()\[\]=@+-]{0,200}", said="a word as sbatch takes it, without blanks"),
]
_OPTION = Pattern(regex="[a-z][a-z0-9-]{0,40}", said="an option of sbatch without its dashes")


@dataclass(frozen=True, kw_only=True, slots=True)
class SlurmSettings:
    """The `[slurm]` table of a cluster file. Empty means: the cluster's own default."""

    partition: _Word = ""
    account: _Word = ""
    qos: _Word = ""
    constraint: _Word = ""
    setup: tuple[Annotated[str, Line()], ...] = ()
    """Shell lines before srun: modules, an environment."""
    srun: tuple[Annotated[str, Line()], ...] = ()
    """Further arguments of srun."""
    extra: dict[Annotated[str, _OPTION], Annotated[str, Line()] | int | bool] = field(default_factory=dict)
    """Any other sbatch option, without its dashes."""
    signal_lead_seconds: Annotated[int, Range(least=0, most=65_535)] = 120
    """How long before the time limit a job is told to save and go back to the queue."""
    max_timeouts: Annotated[int, Range(least=0, most=10_000)] = 20
    """Time limits a run may meet before it counts as failed."""
    array_parallelism: Annotated[int, Range(least=1, most=1_000_000)] = 64
    """Elements of one array that run side by side at most."""
    array_limit: Annotated[int, Range(least=1, most=4_000_000)] = 1000
    """The longest array; `scontrol show config` has it as MaxArraySize, less one."""
    retry_seconds: Annotated[float, Range(least=0, most=3600)] = 5.0
    """Pause before sbatch is tried again when the controller does not answer; doubled each time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SlurmExecutor:
    """Executor for a SLURM cluster.

    What is still in the queue from an earlier launch is not submitted again; later runs then depend on it.
    """

    settings: SlurmSettings = SlurmSettings()
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path
    """submitit's folder: scripts, pickles and logs of all jobs, readable by their owner only."""

    def run(self, nodes: Sequence[Node], watch: Watch) -> Outcome:
        """See `hpc.jobs.Executor`; every state is `submitted`."""
        order = ordered(nodes)
        job_ids = self._already_queued(order)
        for name, job_id in job_ids.items():
            watch(Event(name=name, state="submitted", detail=f"job {job_id}, queued before"))
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for group in groups(order, limit=self.settings.array_limit, queued=set(job_ids)):
            for node, job_id in self._submit(group, job_ids):
                watch(Event(name=node.name, state="submitted", detail=f"job {job_id}"))
        states: dict[str, State] = dict.fromkeys((node.name for node in order), "submitted")
        return Outcome(states=states)

    def parameters(self, shape: Shape) -> dict[str, Any]:
        """submitit's parameters for a job of this shape."""
        settings = self.settings
        given = {
            "partition": settings.partition,
            "account": settings.account,
            "qos": settings.qos,
            "constraint": settings.constraint,
            "gpus_per_node": shape.gpus_per_node,
            "exclusive": shape.exclusive,
        }
        return {name: value for name, value in given.items() if value} | {
            "nodes": shape.nodes,
            "ntasks_per_node": shape.tasks_per_node,
            "cpus_per_task": shape.cpus_per_task,
            "mem": f"{round(shape.memory_gb * 1024)}MB",
            "time": shape.minutes,
            "signal_delay_s": settings.signal_lead_seconds,
            "array_parallelism": settings.array_parallelism,
            "stderr_to_stdout": True,
            "wckey": None,
            "setup": self._setup_lines(),
            # A rank that dies takes the others along, instead of leaving them in a collective.
            "srun_args": ["--kill-on-bad-exit=1", "--wait=60", *settings.srun],
            "additional_parameters": {
                "requeue": True,
                "kill-on-invalid-dep": "yes",
                **settings.extra,
            },
        }

    def _setup_lines(self) -> list[str]:
        lines = [
            "export SLURM_EXPORT_ENV=ALL",
            "export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK",
            *(f"export {name}={shlex.quote(value)}" for name, value in self.environment.items()),
        ]
        if "site-packages" not in _ROOT.parts:
            lines.append(f"export PYTHONPATH={shlex.quote(str(_ROOT))}${{PYTHONPATH:+:$PYTHONPATH}}")
        return lines + list(self.settings.setup)

    def _already_queued(self, nodes: Sequence[Node]) -> dict[str, str]:
        """Jobs of an earlier launch, by node. Cancels those that cannot run any more."""
        records = {node.name: record for node in nodes if (record := queue.read_job(node.folder))}
        if not records:
            return {}
        jobs = queue.queued()
        alive = {job.job_id for job in jobs if not job.never_startable}
        found = {name: record["job_id"] for name, record in records.items() if record.get("job_id") in alive}
        # A launcher killed between sbatch and writing the id down leaves a job without its pickle.
        lost = {record["token"] for record in records.values() if "job_id" not in record}
        ours = {record.get("job_id") for record in records.values()}
        queue.cancel(
            job.job_id for job in jobs if job.token in lost or (job.never_startable and job.job_id in ours)
        )
        return found

    def _submit(self, group: Group, job_ids: dict[str, str]) -> Iterator[tuple[Node, str]]:
        import submitit

        token = f"hpc-{uuid.uuid4().hex[:16]}"
        for node in group.nodes:
            queue.write_job(node.folder, {"token": token, "submitted_unix": time.time()})
        try:
            executor = submitit.SlurmExecutor(self.folder, max_num_timeout=self.settings.max_timeouts)
        except RuntimeError as error:
            raise UserError(
                "srun is not on PATH: launch from a login node of the cluster, or use --cluster local", code=3
            ) from error
        dependency = _dependency(group, job_ids)
        name = group.nodes[0].name + (f"+{len(group.nodes) - 1}" if len(group.nodes) > 1 else "")
        executor.update_parameters(
            **self.parameters(group.nodes[0].shape), job_name=name, comment=token, dependency=dependency
        )
        calls = [RemoteCall(node.call) for node in group.nodes]
        jobs = self._persistently(lambda: executor.submit_array(calls), token)
        for node, job in zip(group.nodes, jobs, strict=True):
            job_ids[node.name] = job.job_id
            record = {
                "token": token,
                "job_id": job.job_id,
                "submitted_unix": time.time(),
                "log": str(job.paths.stdout),
            }
            queue.write_job(node.folder, record)
            yield node, job.job_id

    def _persistently(self, submit: Callable[[], list[Any]], token: str) -> list[Any]:
        """Tries again when the controller did not answer; a job it took in after all is cancelled first."""
        from submitit.core.utils import FailedJobError, FailedSubmissionError

        pause = self.settings.retry_seconds
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with _clean_environment():
                    return submit()
            except (FailedJobError, FailedSubmissionError) as error:
                reason = " ".join(str(error).split())
                if attempt == _ATTEMPTS or not _PASSING.search(reason):
                    raise UserError(f"sbatch refused: {reason}", code=1) from error
            time.sleep(pause)
            pause *= 2
            queue.cancel(job.job_id for job in queue.queued() if job.token == token)
        raise AssertionError("unreachable")


def _dependency(group: Group, job_ids: Mapping[str, str]) -> str | None:
    if group.relation == "aftercorr":
        return f"aftercorr:{job_ids[group.needs[0]].partition('_')[0]}"
    return ":".join(["afterok", *(job_ids[need] for need in group.needs)]) if group.needs else None


@contextmanager
def _clean_environment() -> Iterator[None]:
    before = dict(os.environ)
    kept = queue.clean_environment()
    for name in before.keys() - kept.keys():
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(before)
