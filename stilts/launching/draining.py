"""`launch --wait`: follows a study through SLURM's queue to its end, and feeds what found no room in it."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hpc.jobs import Event, Executor, Node, Outcome, State, Watch
from hpc.slurm.settings import Retries
from stilts.launching import standings
from stilts.launching.plan import Plan

_EVERY_SECONDS = 5.0
_TOLD: Mapping[standings.State, State] = {
    "done": "done",
    "stale": "done",
    "running": "running",
    "failed": "failed",
    "stuck": "failed",
    "lost": "failed",
    "damaged": "failed",
    "blocked": "blocked",
    "cancelled": "cancelled",
}
"""What a standing is called in a launch; all others have yet to come."""
_OPEN = ("waiting", "submitted", "running")
_LOOKS_FOR_THE_LOST = 12
"""Accounting is told of a job a while after the queue has let it go."""


class Drain:
    """Submits and waits until nothing is left that can still be done.

    Args:
        plan: whose runs.
        nodes: what is to do.
        executor: SLURM's.
        retries: how often to submit again what SLURM has ended.
        watch: is told when runs start and end.
    """

    def __init__(
        self, plan: Plan, nodes: Sequence[Node], executor: Executor, retries: Retries, watch: Watch
    ) -> None:
        self._plan = plan
        self._nodes = nodes
        self._executor = executor
        self._retries = retries
        self._watch = watch
        self._states: dict[str, State] = dict.fromkeys((node.name for node in nodes), "waiting")
        self._lost: Counter[str] = Counter()

    def run(self) -> Outcome:
        """Returns when all runs have ended, or wait for one that has failed."""
        while True:
            if "waiting" in self._states.values():
                self._feed()
            self._look()
            if not any(state in _OPEN for state in self._states.values()):
                return Outcome(states=self._states)
            time.sleep(_EVERY_SECONDS)

    def _feed(self) -> None:
        """Submits as many of the waiting as there is room for; what is in the queue already is kept."""
        still = {node.name for node in self._nodes if self._states[node.name] in _OPEN}
        left = [
            replace(node, needs=tuple(need for need in node.needs if need in still))
            for node in self._nodes
            if node.name in still
        ]
        for name, state in self._executor.run(left, lambda _: None).states.items():
            if self._states[name] == "waiting" and state == "submitted":
                self._states[name] = state

    def _look(self) -> None:
        planned = {spec.id: spec for spec in self._plan.specs}
        runs = standings.read(self._plan.root, planned).runs
        found = {run.id: run for run in runs if run.id in self._states}
        again = {name for name, run in found.items() if self._is_tried_again(run)}
        # Parents first: SLURM has cancelled what waited for one that is tried again.
        for spec in self._plan.specs:
            run = found.get(spec.id)
            if run and run.state in ("blocked", "cancelled") and again.intersection(spec.needs):
                again.add(spec.id)
        for name, run in found.items():
            state = _TOLD.get(run.state)
            if name in again:
                if self._states[name] != "waiting":
                    self._tell(name, "waiting", f"{run.detail}; is submitted again")
            elif state is not None and self._is_news(run, state):
                self._tell(name, state, run.detail)

    def _is_tried_again(self, run: standings.Standing) -> bool:
        return run.state == "failed" and bool(run.cause) and run.tries < getattr(self._retries, run.cause)

    def _is_news(self, run: standings.Standing, state: State) -> bool:
        known = self._states[run.id]
        if run.state == "lost":
            self._lost[run.id] += 1
            return known in _OPEN and self._lost[run.id] > _LOOKS_FOR_THE_LOST
        del self._lost[run.id]
        # What an earlier launch left is no news of this one, unless it is done.
        return known != state and (known != "waiting" or state in ("done", "blocked"))

    def _tell(self, name: str, state: State, detail: str) -> None:
        self._states[name] = state
        self._watch(Event(name=name, state=state, detail=detail))
