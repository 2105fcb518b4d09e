"""Finds the job arrays in a plan: thousands of nodes, tens of sbatch calls, the same dependencies."""

from collections import Counter
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
    kinds = _kinds(order)
    depth: dict[str, int] = {}
    for node in order:
        depth[node.name] = 1 + max((depth[need] for need in node.needs), default=-1)
    result: list[Group] = []
    home: dict[str, Group] = {}
    for level in range(max(depth.values(), default=-1) + 1):
        members = [node for node in order if depth[node.name] == level and node.name not in queued]
        for group in _group_level(members, kinds, home, limit):
            result.append(group)
            home |= {node.name: group for node in group.nodes}
    return result


def _kinds(order: Sequence[Node]) -> dict[str, int]:
    """A number for each node, the same for those whose shape and followers are alike."""
    numbers: dict[object, int] = {}
    followers: dict[str, Counter[int]] = {node.name: Counter() for node in order}
    kinds: dict[str, int] = {}
    for node in reversed(order):
        kind = (node.shape, frozenset(followers[node.name].items()))
        kinds[node.name] = numbers.setdefault(kind, len(numbers))
        if len(node.needs) == 1:
            followers[node.needs[0]][kinds[node.name]] += 1
    return kinds


def _group_level(
    nodes: Sequence[Node], kinds: Mapping[str, int], home: Mapping[str, Group], limit: int
) -> list[Group]:
    """Arrays along others where that takes fewer of them, else arrays of what needs the same."""
    families: dict[tuple[int, int], list[Node]] = {}
    alike: dict[object, list[Node]] = {}
    for node in nodes:
        if len(node.needs) == 1 and node.needs[0] in home:
            families.setdefault((id(home[node.needs[0]]), kinds[node.name]), []).append(node)
        else:
            alike.setdefault((kinds[node.name], frozenset(node.needs)), []).append(node)
    result = []
    for family in families.values():
        rows, left = _rows(family, home[family[0].needs[0]])
        result += rows
        for node in left:
            alike.setdefault((kinds[node.name], frozenset(node.needs)), []).append(node)
    return result + [
        Group(nodes=tuple(bucket[start : start + limit]))
        for bucket in alike.values()
        for start in range(0, len(bucket), limit)
    ]


def _rows(family: Sequence[Node], parent: Group) -> tuple[list[Group], list[Node]]:
    """Groups whose elements follow those of `parent` one by one, and what is in none of them."""
    followers: dict[str, list[Node]] = {element.name: [] for element in parent.nodes}
    for node in family:
        followers[node.needs[0]].append(node)
    full = min(map(len, followers.values()))
    left = [node for one in followers.values() for node in one[full:]]
    if full + sum(len(one) > full for one in followers.values()) >= sum(map(bool, followers.values())):
        return [], list(family)
    rows = [
        Group(nodes=tuple(one[row] for one in followers.values()), relation="aftercorr")
        for row in range(full)
    ]
    return rows, left
