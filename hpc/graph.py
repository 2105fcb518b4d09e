"""The state of a plan while it runs: which nodes may start, and what a failure blocks."""

from collections.abc import Sequence

from hpc.errors import UserError, unknown_name
from hpc.jobs import Node, State


class Graph:
    """Nodes in an order in which each comes after those it needs.

    Args:
        nodes: in any order.

    Raises:
        UserError: a name twice, a need that is no node, or a cycle.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.order = ordered(nodes)
        self.states: dict[str, State] = {node.name: "waiting" for node in self.order}
        self._missing = {node.name: set(node.needs) for node in self.order}
        self._followers: dict[str, list[str]] = {node.name: [] for node in self.order}
        for node in self.order:
            for need in dict.fromkeys(node.needs):
                self._followers[need].append(node.name)
        self._chain: dict[str, float] = {}
        for node in reversed(self.order):
            after = (self._chain[follower] for follower in self._followers[node.name])
            self._chain[node.name] = node.cost + max(after, default=0.0)

    @property
    def longest_chain(self) -> float:
        """Cost of the longest chain: no number of machines is quicker."""
        return max(self._chain.values(), default=0.0)

    @property
    def unfinished(self) -> bool:
        """Whether something still runs or may run."""
        return any(state in ("waiting", "running") for state in self.states.values())

    def ready(self) -> list[Node]:
        """Nodes that may start now, the head of the longest chain first."""
        free = [
            node
            for node in self.order
            if self.states[node.name] == "waiting" and not self._missing[node.name]
        ]
        return sorted(free, key=lambda node: -self._chain[node.name])

    def finish(self, name: str) -> None:
        """Marks a node done; those that waited for it may become ready."""
        self.states[name] = "done"
        for follower in self._followers[name]:
            self._missing[follower].discard(name)

    def fail(self, name: str, state: State = "failed") -> list[str]:
        """Marks a node failed or cancelled, and all its descendants blocked; returns those newly blocked."""
        self.states[name] = state
        blocked = []
        reached = list(self._followers[name])
        while reached:
            follower = reached.pop(0)
            if self.states[follower] == "waiting":
                self.states[follower] = "blocked"
                blocked.append(follower)
                reached += self._followers[follower]
        return blocked


def ordered(nodes: Sequence[Node]) -> list[Node]:
    """The nodes, each after those it needs, otherwise in the order given.

    Raises:
        UserError: a name twice, a need that is no node, or a cycle.
    """
    by_name = {node.name: node for node in nodes}
    if len(by_name) < len(nodes):
        twice = sorted(name for name in by_name if sum(node.name == name for node in nodes) > 1)
        raise UserError(f"the plan names {', '.join(twice)} twice")
    for node in nodes:
        for need in node.needs:
            if need not in by_name:
                raise unknown_name("run", need, by_name, where=f"what {node.name} needs")
    missing = {node.name: set(node.needs) for node in nodes}
    followers: dict[str, list[str]] = {name: [] for name in by_name}
    for node in nodes:
        for need in missing[node.name]:
            followers[need].append(node.name)
    order = [node for node in nodes if not node.needs]
    for node in order:
        for follower in followers[node.name]:
            missing[follower].discard(node.name)
            if not missing[follower]:
                order.append(by_name[follower])
    if len(order) < len(nodes):
        circle = sorted(by_name.keys() - {node.name for node in order})
        raise UserError(f"the plan has a cycle: {', '.join(circle)}")
    return order
