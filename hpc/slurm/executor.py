"""Submits a whole plan to SLURM and returns; `squeue` and the run folders tell how it goes on."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hpc.errors import UserError
from hpc.files import is_there, own_folder
from hpc.graph import ordered
from hpc.jobs import Event, Node, Outcome, Shape, State, Watch
from hpc.slurm import history, queue
from hpc.slurm.answers import Full
from hpc.slurm.groups import groups
from hpc.slurm.machines import largest_memory_gb, machines, refuse_if_impossible
from hpc.slurm.patience import patiently
from hpc.slurm.reconcile import Record, by_place, decide, find
from hpc.slurm.settings import SlurmSettings
from hpc.slurm.submitting import Submitter


@dataclass(frozen=True, kw_only=True, slots=True)
class SlurmExecutor:
    """Executor for a SLURM cluster.

    What is still in the queue from an earlier launch is not submitted again; later runs then depend on it.
    Where the cluster lets a user have no more jobs, the rest is left `waiting`: the next launch goes on.
    """

    settings: SlurmSettings = field(default_factory=SlurmSettings)
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path
    """submitit's folder: scripts, pickles and logs of all jobs, readable by their owner only."""

    def run(self, nodes: Sequence[Node], watch: Watch) -> Outcome:
        """See `hpc.jobs.Executor`; a state is `submitted`, `waiting` for room, or `failed` at once."""
        order = ordered(nodes)
        states: dict[str, State] = dict.fromkeys((node.name for node in order), "waiting")
        own_folder(self.folder)
        records = {node.name: record for node in order if (record := queue.read_job(node.folder))}
        submitter = Submitter(
            settings=self.settings, environment=self.environment, folder=self.folder, job_ids={}
        )
        left, kept = self._reconciled(order, records)
        for node in order:
            if node.name in kept:
                job = kept[node.name]
                submitter.job_ids[node.name], states[node.name] = job.job_id, "submitted"
                if "job_id" not in records[node.name]:
                    submitter.complete(node, records[node.name], job.job_id)
                watch(Event(name=node.name, state="submitted", detail=_said(job)))
        for name in states.keys() - {node.name for node in left}:
            states[name] = "done"
            watch(Event(name=name, state="done"))
        submitter.carried = self._carried([node for node in left if node.name not in kept], records)
        left = self._checked(left, submitter.carried)
        with suppress(Full):
            for group in groups(left, limit=self.settings.array_limit, queued=set(kept)):
                for node, job_id in submitter.submit(group):
                    states[node.name] = "submitted"
                    watch(Event(name=node.name, state="submitted", detail=f"job {job_id}"))
        return Outcome(states=states)

    def cancel(self, nodes: Sequence[Node]) -> dict[str, str]:
        """Takes the jobs of these nodes out of the queue; returns their numbers by node."""
        places = by_place(patiently(self.settings, queue.queued))
        found = {}
        for node in nodes:
            record = queue.read_job(node.folder)
            job = find(record, places) if record else None
            if job is not None:
                found[node.name] = job.job_id
        patiently(self.settings, lambda: queue.cancel(found.values()))
        return found

    def _reconciled(
        self, order: Sequence[Node], records: Mapping[str, Record]
    ) -> tuple[list[Node], dict[str, queue.QueuedJob]]:
        """What is not done, and the jobs of earlier launches that will still do some of it.

        Other jobs of ours are cancelled: they wait for what will not come.
        """
        if not records:
            return list(order), {}
        end = time.monotonic() + self.settings.ending_seconds
        while True:
            jobs = patiently(self.settings, queue.queued)
            # In this order: what has left the queue by now has also written that it is done.
            left = _not_done(order)
            decision = decide(left, records, jobs)
            if not decision.ending or time.monotonic() > end:
                break
            time.sleep(1.0)
        if decision.cancelled:
            patiently(self.settings, lambda: queue.cancel(decision.cancelled))
        return left, decision.kept

    def _carried(self, fresh: Sequence[Node], records: Mapping[str, Record]) -> dict[str, dict[str, Any]]:
        """What the next notes of these nodes keep of their jobs before."""
        there = [node for node in fresh if node.name in records]
        job_ids = {str(records[node.name].get("job_id", "")) for node in there} - {""}
        since = min((history.first_unix(records[node.name]) for node in there), default=0.0)
        ended: dict[str, history.Attempt] = {}
        # Without accounting nothing is known of how they ended.
        with suppress(UserError):
            ended = history.ended(job_ids, since=since)
        return {
            node.name: history.carried_over(
                record, ended.get(str(record.get("job_id", ""))), node.shape.memory_gb
            )
            for node in fresh
            for record in [records.get(node.name, {})]
        }

    def _checked(self, order: Sequence[Node], carried: Mapping[str, Mapping[str, Any]]) -> list[Node]:
        """The nodes as they are to be submitted, with the memory that an earlier job has missed.

        Raises:
            UserError: a shape that the cluster does not have.
        """
        if not carried:
            return list(order)
        cluster = patiently(self.settings, machines)
        checked: set[Shape] = set()
        result = []
        for node in order:
            if node.name in carried and node.shape not in checked:
                refuse_if_impossible(node.name, node.shape, self.settings, cluster)
                checked.add(node.shape)
            memory = carried.get(node.name, {}).get("memory_gb", 0.0)
            if memory > node.shape.memory_gb:
                memory = min(memory, largest_memory_gb(node.shape, self.settings, cluster))
                node = replace(node, shape=replace(node.shape, memory_gb=memory))
            result.append(node)
        return result


def _not_done(order: Sequence[Node]) -> list[Node]:
    done = {node.name for node in order if node.done and is_there(node.done)}
    return [
        replace(node, needs=tuple(need for need in node.needs if need not in done))
        for node in order
        if node.name not in done
    ]


def _said(job: queue.QueuedJob) -> str:
    if job.is_held:
        return f"job {job.job_id}, held: scontrol release {job.job_id} lets it start"
    return f"job {job.job_id}, " + ("queued before" if job.state == "PENDING" else job.state.lower())
