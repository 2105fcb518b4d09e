"""What a launch has to do: the runs of a grid, how each stands, and the nodes for what is left."""

import difflib
import fnmatch
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hpc.cluster import Cluster
from hpc.errors import Unreadable, UserError
from hpc.files import is_there
from hpc.jobs import Call, Node
from hpc.slurm.queue import read_job
from stilts.launching import standings
from stilts.launching.estimate import Estimator, learn
from stilts.launching.shapes import check_shapes, shape_of
from stilts.run.folder import RunFolder, State
from stilts.run.specs import OtherVersion, RunSpec, refuse_change
from stilts.study.config import Study
from stilts.study.grid import expand, refuse_untrainable

STAGE = "stilts.run.stages:run"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The runs of a grid, parents first, with the state each was found in."""

    study: Study
    grid: str
    root: Path
    """Where the study's runs lie."""
    specs: tuple[RunSpec, ...]
    states: Mapping[str, State]
    elsewhere: frozenset[str]
    """Runs at work in a process that is none of this launch's."""
    damaged: Mapping[str, str]
    """Why runs that were done once have to be done again."""
    estimator: Estimator

    def folder(self, run_id: str) -> RunFolder:
        """The folder of a run."""
        return RunFolder(self.root / run_id)

    @property
    def todo(self) -> list[RunSpec]:
        """Runs that are neither done nor at work elsewhere nor waiting for such a one."""
        held = set(self.elsewhere)
        free = []
        for spec in self.specs:
            if held.intersection((spec.id, *spec.needs)):
                held.add(spec.id)
            elif self.states[spec.id] != "done":
                free.append(spec)
        return free

    @property
    def held(self) -> list[RunSpec]:
        """Runs that are not done but left out of `todo`."""
        free = {spec.id for spec in self.todo}
        return [spec for spec in self.specs if self.states[spec.id] != "done" and spec.id not in free]


def make_plan(study: Study, grid: str, *, only: str | None, runs: Path, cluster: Cluster) -> Plan:
    """Reads how the runs of a grid stand.

    Args:
        study: what to expand.
        grid: a name in `stilts.study.grid.GRIDS`.
        only: pattern of run ids; what they need is planned too.
        runs: the folder of all studies' runs.
        cluster: for estimates, and the shapes of machines.

    Raises:
        UserError: unknown grid, a model that cannot be trained, nothing matches `only`, a shape that a run
            cannot use, or a run's folder was launched with other settings or made from data that have
            changed since.
    """
    specs = expand(study, grid)
    check_shapes(specs, cluster)
    if only is not None:
        specs = _narrow(specs, only)
    refuse_untrainable(study, specs)
    root = runs / study.name
    states: dict[str, State] = {}
    damaged: dict[str, str] = {}
    for spec in specs:
        folder = RunFolder(root / spec.id)
        states[spec.id], damaged[spec.id] = _state(folder, spec)
    refuse_stale([spec for spec in specs if states[spec.id] == "done"], root)
    done = ((spec, RunFolder(root / spec.id)) for spec in specs if states[spec.id] == "done")
    return Plan(
        study=study,
        grid=grid,
        root=root,
        specs=tuple(specs),
        states=states,
        elsewhere=frozenset(_elsewhere(states, root, cluster)),
        damaged={run_id: reason for run_id, reason in damaged.items() if reason},
        estimator=learn(done, study, cluster),
    )


_IN_VAIN = ("failed", "stuck", "lost", "blocked", "cancelled", "interrupted", "damaged")


def retried(plan: Plan) -> Plan:
    """The part of a plan that was begun in vain: runs that ended before they were done, and their heirs."""
    found = standings.read(plan.root, {spec.id: spec for spec in plan.specs}).runs
    states = {run.id: run.state for run in found}
    chosen: set[str] = set()
    for spec in plan.specs:
        if states[spec.id] in _IN_VAIN or chosen.intersection(spec.needs):
            chosen.add(spec.id)
    return narrowed(plan, {spec.id for spec in _with_needs(plan.specs, chosen)})


def narrowed(plan: Plan, ids: Collection[str]) -> Plan:
    """The part of a plan that is about some runs."""
    specs = tuple(spec for spec in plan.specs if spec.id in ids)
    return replace(plan, specs=specs, elsewhere=plan.elsewhere.intersection(ids))


def _state(folder: RunFolder, spec: RunSpec) -> tuple[State, str]:
    """How a run stands, and why it is damaged if it is.

    Raises:
        UserError: it was launched with other settings.
    """
    stored = None
    if is_there(folder.spec):
        try:
            stored = folder.read_spec(spec)
        except (OtherVersion, Unreadable):
            raise
        except UserError as error:
            return "damaged", str(error)
        refuse_change(stored, spec, folder.path)
    state = folder.state(stored)
    return state, folder.damage() if state == "damaged" else ""


def refuse_stale(done: Sequence[RunSpec], root: Path) -> None:
    """Refuses to build on runs whose data have changed.

    Raises:
        UserError: which sets changed, which runs rest on them, and what to do.
    """
    if not done:
        return
    # Loads numpy, which a first plan goes without.
    from stilts.data.staleness import stale_runs

    stale = stale_runs((spec, RunFolder(root / spec.id)) for spec in done)
    if stale:
        names = list(stale)
        shown = " ".join(str(root / name) for name in names[:3]) + (" ..." if len(names) > 3 else "")
        reasons = "; ".join(list(dict.fromkeys(stale.values()))[:2])
        raise UserError(
            f"{len(names)} runs are STALE, their data have changed ({reasons}): restore the data, or delete "
            f"these folders to run them anew: {shown}"
        )


def make_nodes(plan: Plan, cluster: Cluster) -> list[Node]:
    """One node for each run to do; needs that are done are no needs any more."""
    todo = plan.todo
    ids = {spec.id for spec in todo}
    return [
        Node(
            name=spec.id,
            call=Call(STAGE, {"folder": str(plan.folder(spec.id).path.resolve())}),
            needs=tuple(need for need in spec.needs if need in ids),
            shape=shape_of(spec, cluster),
            folder=plan.folder(spec.id).submit.resolve(),
            done=plan.folder(spec.id).done,
            cost=plan.estimator.cost(spec),
        )
        for spec in todo
    ]


def _elsewhere(states: Mapping[str, State], root: Path, cluster: Cluster) -> Iterator[str]:
    """Running runs, but for those that are jobs where jobs are what a launch deals with."""
    for run_id, state in states.items():
        if state == "running":
            known = cluster.scheduler == "slurm" and read_job(RunFolder(root / run_id).submit)
            if not known:
                yield run_id


def _narrow(specs: Sequence[RunSpec], pattern: str) -> list[RunSpec]:
    keep = {spec.id for spec in specs if fnmatch.fnmatchcase(spec.id, pattern)}
    if not keep:
        near = difflib.get_close_matches(pattern, [spec.id for spec in specs], n=3, cutoff=0.5)
        guess = f" Did you mean {', '.join(near)}?" if near else ""
        raise UserError(f"no run matches --only {pattern!r}.{guess} --dry-run without --only lists them")
    return _with_needs(specs, keep)


def _with_needs(specs: Sequence[RunSpec], chosen: Collection[str]) -> list[RunSpec]:
    keep = set(chosen)
    for spec in reversed(specs):
        if spec.id in keep:
            keep.update(spec.needs)
    return [spec for spec in specs if spec.id in keep]
