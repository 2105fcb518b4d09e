"""Runs a plan in this very process, in order: for a debugger, a profiler or a print."""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from hpc.graph import Graph
from hpc.jobs import Event, Node, Outcome, Watch
from hpc.local.child import one_line


@dataclass(frozen=True, kw_only=True, slots=True)
class DebugExecutor:
    """Executor without processes; output goes to the terminal and shapes have no effect."""

    def run(self, nodes: Sequence[Node], watch: Watch) -> Outcome:
        """See `hpc.jobs.Executor`."""
        graph = Graph(nodes)
        for node in graph.order:
            if graph.states[node.name] == "blocked":
                continue
            watch(Event(name=node.name, state="running"))
            try:
                node.call.run()
            except Exception as error:
                traceback.print_exc()
                blocked = graph.fail(node.name)
                watch(Event(name=node.name, state="failed", detail=one_line(error)))
                for follower in blocked:
                    watch(Event(name=follower, state="blocked", detail=f"needs {node.name}"))
            else:
                graph.finish(node.name)
                watch(Event(name=node.name, state="done"))
        return Outcome(states=graph.states)
