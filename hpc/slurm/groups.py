"""Finds the job arrays in a plan: thousands of nodes, tens of sbatch calls, the same dependencies."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from hpc.graph import ordered
from hpc.jobs import Node

Relation = Literal["afterok", "aftercorr"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Nodes submitted together: one job, or one array whose elements have the nodes' order."""

    nodes: tuple[Node, ...]
    relation: Relation = "afterok"
    """`aftercorr`: element i needs element i of one other array; otherwise all need the same nodes."""

    @property
    def needs(self) -> tuple[str, ...]:
        """What every node needs (`afterok`), or the elements of the other array (`aftercorr`)."""
        if self.relation == "aftercorr":
            return tuple(node.needs[0] for node in self.nodes)
        return self.nodes[0].needs


def groups(nodes: Sequence[Node], *, limit: int, queued: Collection[str] = ()) -> list[Group]:
    """Groups in an order in which each comes after those it needs.

    Args:
        nodes: a plan.
        limit: the longest array.
        queued: nodes that are in SLURM's hands already and belong to no group.
    """
    order = ordered(nodes)
    depth: dict[str, int] = {}
    for node in order:
        depth[node.name] = 1 + max((depth[need] for need in node.needs), default=-1)
    result: list[Group] = []
    home: dict[str, Group] = {}
    for level in range(max(depth.values(), default=-1) + 1):
        members = [node for node in order if depth[node.name] == level and node.name not in queued]
        for group in _group_level(members, home, limit):
            result.append(group)
            home |= {node.name: group for node in group.nodes}
    return result


def _group_level(nodes: Sequence[Node], home: Mapping[str, Group], limit: int) -> list[Group]:
    alike: dict[object, list[Node]] = {}
    for node in nodes:
        alike.setdefault((node.shape, frozenset(node.needs)), []).append(node)
    result = [
        Group(nodes=part) for bucket in alike.values() if len(bucket) > 1 for part in _cut(bucket, limit)
    ]
    lonely: dict[object, list[Node]] = {}
    for bucket in alike.values():
        if len(bucket) == 1:
            node = bucket[0]
            follows = len(node.needs) == 1 and node.needs[0] in home
            parent = id(home[node.needs[0]]) if follows else node.name
            lonely.setdefault((node.shape, parent), []).append(node)
    for bucket in lonely.values():
        result += _chain(bucket, home)
    return result


def _chain(bucket: list[Node], home: Mapping[str, Group]) -> list[Group]:
    """One array along another if the nodes follow its elements one by one, else jobs of their own."""
    if len(bucket) > 1:
        follower = {node.needs[0]: node for node in bucket}
        elements = [element.name for element in home[bucket[0].needs[0]].nodes]
        if set(elements) == set(follower):
            return [Group(nodes=tuple(follower[name] for name in elements), relation="aftercorr")]
    return [Group(nodes=(node,)) for node in bucket]


def _cut(bucket: list[Node], limit: int) -> list[tuple[Node, ...]]:
    return [tuple(bucket[start : start + limit]) for start in range(0, len(bucket), limit)]
