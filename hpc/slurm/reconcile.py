"""What to do about the jobs that earlier launches left: keep, cancel, or submit anew.

A run's job is known by the token its submission had and by its place in the array; a number alone may belong
to another job. A job is kept only while everything it waits for is kept too: SLURM drops a dependency on a
job that is gone, and would start a child without its parent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hpc.jobs import Node
from hpc.slurm.queue import Place, QueuedJob, place_of

Record = Mapping[str, Any]
"""What `job.json` holds: `token`, `element`, `needs` before sbatch is called, `job_id` and `log` after it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """Which jobs stay, by node, and which go; every other node is to be submitted."""

    kept: dict[str, QueuedJob] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    ending: list[str] = field(default_factory=list)
    """Nodes whose jobs are about to leave the queue, or to be put back."""


def decide(order: Sequence[Node], records: Mapping[str, Record], jobs: Sequence[QueuedJob]) -> Decision:
    """Looks at every node once, parents first.

    Args:
        order: nodes that are not done, each after those it needs.
        records: their notes of earlier submissions, by node.
        jobs: the queue.
    """
    decision = Decision()
    places = by_place(jobs)
    for node in order:
        record = records.get(node.name)
        if record is None:
            continue
        job = find(record, places)
        if job is None:
            continue
        if job.is_ending:
            decision.ending.append(node.name)
        elif job.never_startable or not _parents_kept(node, record, decision.kept):
            decision.cancelled.append(job.job_id)
        else:
            decision.kept[node.name] = job
    return decision


def by_place(jobs: Sequence[QueuedJob]) -> dict[Place, QueuedJob]:
    """The queue by what a note tells."""
    return {job.place: job for job in jobs}


def find(record: Record, places: Mapping[Place, QueuedJob]) -> QueuedJob | None:
    """The job of the queue that a note is about."""
    job = places.get(place_of(record["token"], _element(record), record.get("job_id", "")))
    return job if job is not None and record.get("job_id", job.job_id) == job.job_id else None


def _element(record: Record) -> str:
    """The place in its array that a note tells; notes of one that runs have its number alone."""
    if "element" in record:
        return str(record["element"])
    return str(record.get("job_id", "")).partition("_")[2]


def _parents_kept(node: Node, record: Record, kept: Mapping[str, QueuedJob]) -> bool:
    """Whether the job waits for the very jobs that will do what the node needs."""
    waits = record.get("needs", {})
    return all(need in kept and waits.get(need) == kept[need].job_id for need in node.needs)
