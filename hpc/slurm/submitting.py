"""Hands groups of nodes to sbatch, with a note of each before and after."""

import os
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hpc.errors import UserError
from hpc.files import is_there
from hpc.jobs import Node
from hpc.slurm import queue
from hpc.slurm.answers import Full, submission
from hpc.slurm.groups import Group
from hpc.slurm.patience import patiently
from hpc.slurm.reconcile import Record
from hpc.slurm.remote import RemoteCall
from hpc.slurm.script import interpreter, parameters
from hpc.slurm.settings import SlurmSettings


@dataclass(kw_only=True, slots=True)
class Submitter:
    """One launch's way to sbatch."""

    settings: SlurmSettings
    environment: Mapping[str, str]
    folder: Path
    """submitit's."""
    job_ids: dict[str, str]
    """Of the nodes in the queue; grows."""
    carried: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What the note of a node keeps of its job before."""

    def submit(self, group: Group) -> Iterator[tuple[Node, str]]:
        """Submits a group; one that finds no room as a whole goes in one by one, as far as there is any.

        Raises:
            Full: there is no more room.
            UserError: sbatch refuses it for good, or does not answer.
        """
        singles = [Group(nodes=(node,)) for node in group.nodes]
        if not self._can_follow(group):
            for single in singles:
                yield from self._submit_whole(single)
            return
        try:
            yield from self._submit_whole(group)
        except Full:
            if len(singles) == 1:
                raise
            for single in singles:
                yield from self._submit_whole(single)

    def complete(self, node: Node, record: Record, job_id: str) -> None:
        """Gives a job its note, and its call if a launcher that was killed behind sbatch could not."""
        from submitit.core.utils import DelayedSubmission, JobPaths

        paths = JobPaths(self.folder, job_id=job_id)
        if not is_there(paths.submitted_pickle):
            delayed = DelayedSubmission(RemoteCall(node.call, node.name))
            delayed.set_timeout(node.shape.minutes, self.settings.max_timeouts)
            partial = paths.submitted_pickle.with_suffix(f".{os.getpid()}")
            delayed.dump(partial)
            partial.replace(paths.submitted_pickle)
        queue.write_job(node.folder, {**record, "job_id": job_id, "log": str(paths.stdout)})

    def _can_follow(self, group: Group) -> bool:
        """Whether what an array follows element by element is an array, and of the same order."""
        if group.relation != "aftercorr":
            return True
        found = [self.job_ids[need] for need in group.needs]
        array = found[0].partition("_")[0]
        return found == [f"{array}_{place}" for place in range(len(found))]

    def _submit_whole(self, group: Group) -> Iterator[tuple[Node, str]]:
        import submitit

        most = self.settings.jobs_at_once
        if most and len(self.job_ids) + len(group.nodes) > most:
            raise Full(f"jobs_at_once = {most}", code=1)
        token = f"hpc-{uuid.uuid4().hex[:16]}"
        several = len(group.nodes) > 1
        records = {
            node.name: {
                **self.carried.get(node.name, {}),
                "token": token,
                "element": place if several else "",
                "needs": {need: self.job_ids[need] for need in node.needs},
                "submitted_unix": time.time(),
            }
            for place, node in enumerate(group.nodes)
        }
        for node in group.nodes:
            queue.write_job(node.folder, records[node.name])
        try:
            executor = submitit.SlurmExecutor(
                self.folder, max_num_timeout=self.settings.max_timeouts, python=interpreter(self.settings)
            )
        except RuntimeError as error:
            raise UserError(
                "srun is not on PATH: launch from a login node of the cluster, or use --cluster local", code=3
            ) from error
        name = group.nodes[0].name + (f"+{len(group.nodes) - 1}" if several else "")
        executor.update_parameters(
            **parameters(group.nodes[0].shape, self.settings, self.environment),
            job_name=name,
            comment=token,
            dependency=self._dependency(group),
        )
        calls = [RemoteCall(node.call, node.name) for node in group.nodes]

        def ask() -> list[str]:
            with submission(name, len(group.nodes)):
                jobs = executor.submit_array(calls)
            return [str(job.job_id) for job in jobs]

        found = patiently(self.settings, ask, lambda: _taken_in(token, len(group.nodes)))
        for node, job_id in zip(group.nodes, found, strict=True):
            self.job_ids[node.name] = job_id
            self.complete(node, records[node.name], job_id)
            yield node, job_id

    def _dependency(self, group: Group) -> str | None:
        needs = [self.job_ids[need] for need in group.needs]
        if group.relation == "aftercorr":
            return f"aftercorr:{needs[0].partition('_')[0]}"
        return ":".join(["afterok", *needs]) if needs else None


def _taken_in(token: str, size: int) -> list[str] | None:
    """The job numbers of a submission whose answer got lost, if it was taken in."""
    found = [job for job in queue.queued() if job.token == token]
    if len(found) < size:
        # Elements that started found no call, and have failed.
        queue.cancel(job.job_id for job in found)
        return None
    return [job.job_id for job in sorted(found, key=lambda job: int(job.element or 0))]
