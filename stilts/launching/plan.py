"""What a launch has to do: the runs of a grid, how each stands, and the nodes for what is left."""

import difflib
import fnmatch
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hpc.cluster import Cluster
from hpc.command import aligned
from hpc.errors import UserError
from hpc.graph import Graph
from hpc.jobs import Call, Node
from stilts.launching.estimate import Estimator, learn, say_seconds
from stilts.launching.shapes import check_shapes, shape_of
from stilts.run.folder import RunFolder, State
from stilts.run.specs import RunSpec, refuse_change
from stilts.study.config import Study
from stilts.study.grid import expand

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
    damaged: Mapping[str, str]
    """Why runs that were done once have to be done again."""
    estimator: Estimator

    def folder(self, run_id: str) -> RunFolder:
        """The folder of a run."""
        return RunFolder(self.root / run_id)

    @property
    def todo(self) -> list[RunSpec]:
        """Runs that are neither done nor running in another process nor waiting for such a one."""
        held = {spec.id for spec in self.specs if self.states[spec.id] == "running"}
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
        UserError: unknown grid, nothing matches `only`, a shape that a run cannot use, or a run's folder was
            launched with other settings or made from data that have changed since.
    """
    specs = expand(study, grid)
    check_shapes(specs, cluster)
    if only is not None:
        specs = _narrow(specs, only)
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
        damaged={run_id: reason for run_id, reason in damaged.items() if reason},
        estimator=learn(done, cluster.pace),
    )


def _state(folder: RunFolder, spec: RunSpec) -> tuple[State, str]:
    """How a run stands, and why it is damaged if it is.

    Raises:
        UserError: it was launched with other settings.
    """
    if folder.spec.exists():
        try:
            stored = folder.read_spec()
        except UserError as error:
            return "damaged", str(error)
        refuse_change(stored, spec, folder.path)
    state = folder.state()
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
            cost=plan.estimator.cost(spec),
        )
        for spec in todo
    ]


def describe(plan: Plan, cluster: Cluster) -> Iterator[str]:
    """The plan in lines: totals by stage, then each run that is left with what it needs."""
    yield from _totals(plan)
    todo = plan.todo
    if not todo:
        return
    yield ""
    width = max(len(spec.id) for spec in todo)
    for spec in todo:
        state = "" if plan.states[spec.id] == "planned" else f"  [{plan.states[spec.id]}]"
        needs = ", ".join(spec.needs) or "nothing"
        yield f"  {spec.id:<{width}}  {spec.stage:<8}  {_tokens(spec.tokens):>7}  needs {needs}{state}"
    yield ""
    yield _duration(plan, cluster)


def _narrow(specs: Sequence[RunSpec], pattern: str) -> list[RunSpec]:
    keep = {spec.id for spec in specs if fnmatch.fnmatchcase(spec.id, pattern)}
    if not keep:
        near = difflib.get_close_matches(pattern, [spec.id for spec in specs], n=3, cutoff=0.5)
        guess = f" Did you mean {', '.join(near)}?" if near else ""
        raise UserError(f"no run matches --only {pattern!r}.{guess} --dry-run without --only lists them")
    for spec in reversed(specs):
        if spec.id in keep:
            keep.update(spec.needs)
    return [spec for spec in specs if spec.id in keep]


def _totals(plan: Plan) -> Iterator[str]:
    ids = {spec.id for spec in plan.todo}
    stages = Counter(_name_of_stage(spec) for spec in plan.specs)
    header = ("stage", "runs", "done", "to do", "tokens", "estimate")
    rows = [header]
    for stage, count in stages.items():
        runs = [spec for spec in plan.specs if _name_of_stage(spec) == stage]
        left = [spec for spec in runs if spec.id in ids]
        done = sum(plan.states[spec.id] == "done" for spec in runs)
        tokens = _tokens(sum(spec.tokens for spec in left))
        rows.append((stage, str(count), str(done), str(len(left)), tokens, _total_seconds(plan, left)))
    done = sum(state == "done" for state in plan.states.values())
    tokens = _tokens(sum(spec.tokens for spec in plan.todo))
    rows.append(
        ("all", str(len(plan.specs)), str(done), str(len(ids)), tokens, _total_seconds(plan, plan.todo))
    )
    yield from aligned(rows)


def _name_of_stage(spec: RunSpec) -> str:
    label = spec.asked.label
    return spec.stage if label == spec.stage else f"{spec.stage} ({label})"


def _total_seconds(plan: Plan, specs: Sequence[RunSpec]) -> str:
    known = [plan.estimator.seconds(spec) for spec in specs]
    if not known:
        return "-"
    if None in known:
        return "unknown"
    return say_seconds(sum(seconds or 0.0 for seconds in known))


def _duration(plan: Plan, cluster: Cluster) -> str:
    """How long the whole takes on this machine: all work spread over the workers, or the longest chain."""
    todo = plan.todo
    if cluster.scheduler == "slurm":
        return f"{len(todo)} runs to submit to {cluster.summary or 'SLURM'}"
    workers = cluster.local.num_workers if cluster.scheduler == "local" else 1
    said = f"{len(todo)} runs, {workers} at a time"
    if any(plan.estimator.seconds(spec) is None for spec in todo):
        return f"{said}; how long is known once a run of each stage is done"
    nodes = make_nodes(plan, cluster)
    work = sum(node.cost for node in nodes) / workers
    return f"{said}: about {say_seconds(max(work, Graph(nodes).longest_chain))}"


def _tokens(count: int) -> str:
    if not count:
        return "-"
    if count < 10**6:
        return f"{count / 1000:.0f} k"
    return f"{count / 10**6:.1f} M" if count < 10**9 else f"{count / 10**9:.1f} G"
