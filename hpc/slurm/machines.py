"""Whether a shape fits the cluster: what no waiting would cure is refused before anything is submitted.

SLURM takes such jobs in and leaves them in the queue for ever, or refuses them in the middle of a launch;
`sbatch --test-only` refuses also what only a drained node stands in the way of.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hpc.errors import UserError, unknown_name
from hpc.jobs import Shape
from hpc.slurm.answers import Passing
from hpc.slurm.queue import run
from hpc.slurm.settings import SlurmSettings

_FORMAT = "%P|%N|%c|%m|%G|%l|%f"
_NOTHING = "(null)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """A node of the cluster, as one of its partitions has it."""

    partition: str
    is_default: bool
    cpus: int
    memory_gb: float
    gpus: int
    limit_minutes: float
    """The partition's; infinite without one."""
    features: frozenset[str]


def machines() -> list[Machine]:
    """Every node of every partition, in whatever state it is; empty where sinfo tells nothing.

    Raises:
        Passing: sinfo did not answer.
    """
    try:
        lines = run(["sinfo", "--all", "--Node", "--noheader", f"--format={_FORMAT}"]).splitlines()
    except Passing:
        raise
    except UserError:
        return []
    return [_machine(line) for line in lines if line.count("|") == _FORMAT.count("|")]


def refuse_if_impossible(
    name: str, shape: Shape, settings: SlurmSettings, cluster: Sequence[Machine]
) -> None:
    """Refuses a shape that no nodes of its partition have.

    Args:
        name: of a run with this shape.
        shape: what it asks for.
        settings: where a shape does not say.
        cluster: from `machines`; nothing is refused where it is empty.

    Raises:
        UserError: which run, what it asks for, and what there is.
    """
    found = _fitting(name, shape, settings, cluster)
    if len(found) < shape.nodes and cluster:
        raise UserError(f"{name} asks for {shape.nodes} nodes, and its partition has {len(found)} that fit")


def largest_memory_gb(shape: Shape, settings: SlurmSettings, cluster: Sequence[Machine]) -> float:
    """Memory of the largest node of a shape's partition; infinite where nothing is known."""
    wanted = _partitions(shape, settings)
    return max((one.memory_gb for one in cluster if _is_in(one, wanted)), default=float("inf"))


def _fitting(
    name: str, shape: Shape, settings: SlurmSettings, cluster: Sequence[Machine]
) -> Sequence[Machine]:
    """Narrows the nodes down wish by wish; the first that leaves none is what is wrong."""
    wanted = _partitions(shape, settings)
    partitions = sorted({one.partition for one in cluster})
    for partition in wanted:
        if cluster and partition not in partitions:
            raise unknown_name("partition", partition, partitions, where="this cluster")
    left = [one for one in cluster if _is_in(one, wanted)]
    features = _words(shape.constraint or settings.constraint)
    wishes = [
        ("cpus", shape.tasks_per_node * shape.cpus_per_task, "CPUs a node"),
        ("memory_gb", shape.memory_gb, "GB a node"),
        ("gpus", shape.gpus_per_node, "GPUs a node"),
        # A QOS may allow more than the partition.
        ("limit_minutes", 0 if shape.qos or settings.qos else shape.minutes, "minutes"),
    ]
    for field, wish, unit in wishes:
        most = max((getattr(one, field) for one in left), default=0)
        if left and most < wish:
            where = f"partition {','.join(wanted)}" if wanted else "the default partition"
            raise UserError(f"{name} asks for {wish:g} {unit}, and {where} gives {most:g} at most")
        left = [one for one in left if getattr(one, field) >= wish]
    if left and not any(features <= one.features for one in left):
        there = sorted(set().union(*(one.features for one in left)))
        raise UserError(
            f"{name} asks for nodes with {'&'.join(sorted(features))}; there are {', '.join(there) or 'none'}"
        )
    return [one for one in left if features <= one.features]


def _partitions(shape: Shape, settings: SlurmSettings) -> list[str]:
    return [part for part in (shape.partition or settings.partition).split(",") if part]


def _is_in(one: Machine, partitions: Sequence[str]) -> bool:
    return one.partition in partitions if partitions else one.is_default


def _words(constraint: str) -> frozenset[str]:
    """Features that all nodes must have; expressions with other operators are left to SLURM."""
    plain = re.fullmatch(r"[\w.-]+(&[\w.-]+)*", constraint)
    return frozenset(constraint.split("&")) if plain else frozenset()


def _machine(line: str) -> Machine:
    partition, _, cpus, memory, gres, limit, features = line.strip().split("|")
    return Machine(
        partition=partition.rstrip("*"),
        is_default=partition.endswith("*"),
        cpus=int(cpus.rstrip("+")),
        memory_gb=int(memory.rstrip("+")) / 1024,
        gpus=sum(int(count) for count in re.findall(r"gpu:(?:[^:,(]+:)?(\d+)", gres)),
        limit_minutes=_minutes(limit),
        features=frozenset() if features == _NOTHING else frozenset(features.split(",")),
    )


def _minutes(limit: str) -> float:
    """Minutes of `days-hours:minutes:seconds`, or shorter, or `infinite`."""
    if not re.fullmatch(r"[\d:-]+", limit):
        return float("inf")
    days, _, rest = limit.rpartition("-")
    seconds = 0
    for part in rest.split(":"):
        seconds = 60 * seconds + int(part)
    return (24 * 3600 * int(days or 0) + seconds) / 60
