"""A plan in lines: totals by stage with what they take, then each run that is left with what it needs."""

from collections import Counter
from collections.abc import Iterator, Sequence

from hpc.cluster import Cluster
from hpc.command import aligned
from hpc.graph import Graph
from stilts.launching.estimate import say_bytes, say_seconds
from stilts.launching.plan import Plan, make_nodes
from stilts.run.specs import RunSpec, TrainSpec
from stilts.study import regimes
from stilts.study.grid.builder import training_shares

_NOTHING = "-"


def describe(plan: Plan, cluster: Cluster) -> Iterator[str]:
    """The plan in lines."""
    todo = plan.todo
    yield from aligned(list(_totals(plan, todo)))
    if not todo:
        return
    yield ""
    yield from _passes(plan, todo)
    yield from _disk(plan, todo)
    yield from _search(plan, todo)
    yield f"assumed: {'; '.join(plan.estimator.assumptions())}"
    yield ""
    width = max(len(spec.id) for spec in todo)
    for spec in todo:
        state = "" if plan.states[spec.id] == "planned" else f"  [{plan.states[spec.id]}]"
        needs = ", ".join(spec.needs) or "nothing"
        yield f"  {spec.id:<{width}}  {spec.stage:<8}  {_tokens(spec.tokens):>7}  needs {needs}{state}"
    yield ""
    yield _duration(plan, cluster)


def _totals(plan: Plan, todo: Sequence[RunSpec]) -> Iterator[tuple[str, ...]]:
    yield ("stage", "runs", "done", "to do", "tokens", "time", "device time", "a device holds")
    ids = {spec.id for spec in todo}
    stages = Counter(_name_of_stage(spec) for spec in plan.specs)
    for stage in stages:
        runs = [spec for spec in plan.specs if _name_of_stage(spec) == stage]
        yield _row(stage, plan, runs, [spec for spec in runs if spec.id in ids])
    yield _row("all", plan, plan.specs, todo)


def _row(name: str, plan: Plan, runs: Sequence[RunSpec], left: Sequence[RunSpec]) -> tuple[str, ...]:
    estimator = plan.estimator
    done = sum(plan.states[spec.id] == "done" for spec in runs)
    seconds = [estimator.seconds(spec) for spec in left]
    known = [value for value in seconds if value is not None]
    if not left:
        times = (_NOTHING, _NOTHING)
    elif len(known) < len(seconds):
        times = ("unknown", "unknown")
    else:
        of_devices = sum(value * estimator.ranks(spec) for spec, value in zip(left, known, strict=True))
        times = (say_seconds(sum(known)), say_seconds(of_devices))
    tokens = _tokens(sum(spec.tokens for spec in left))
    holds = _holds(plan, left) if name != "all" else ""
    return (name, str(len(runs)), str(done), str(len(left)), tokens, *times, holds)


def _holds(plan: Plan, left: Sequence[RunSpec]) -> str:
    """The most that a device holds, and the ZeRO stage of the run that it is."""
    held = {spec.id: size for spec in left if (size := plan.estimator.held(spec)) is not None}
    if not held:
        return ""
    largest = max((spec for spec in left if spec.id in held), key=lambda spec: held[spec.id])
    zero = plan.estimator.zero(largest)
    assert zero is not None, "its memory is known"
    layout = "no ZeRO" if zero.is_plain else f"ZeRO {zero.stage}"
    return f"{say_bytes(held[largest.id])} ({layout})"


def _passes(plan: Plan, todo: Sequence[RunSpec]) -> Iterator[str]:
    """How often each mixture goes over the sets it is made of."""
    told = set()
    for spec in todo:
        asked = spec.asked
        if not isinstance(asked, TrainSpec) or len(asked.tasks) < 2 or (asked.phase, asked.tasks) in told:
            continue
        told.add((asked.phase, asked.tasks))
        shares = training_shares(plan.study, asked.tasks, asked.optimisation)
        said = ", ".join(f"{name} {share.passes:.2g}" for name, share in shares.items() if share.passes)
        yield f"passes over each set in {spec.id}: {said or 'sizes are not known'}"


def _disk(plan: Plan, todo: Sequence[RunSpec]) -> Iterator[str]:
    weights = [plan.estimator.weights(spec) for spec in todo]
    if any(weights):
        most = max(plan.estimator.checkpoints(spec) for spec in todo)
        kept, beside = say_bytes(sum(weights)), say_bytes(most)
        yield f"disk: {kept} of weights; up to {beside} beside a run while it trains"


def _search(plan: Plan, todo: Sequence[RunSpec]) -> Iterator[str]:
    """What a regime that is chosen from another costs more than what it deploys."""
    estimator = plan.estimator
    for regime in regimes.REGIMES:
        if not regime.chosen_from:
            continue
        runs = [
            spec
            for spec in todo
            if isinstance(spec.asked, TrainSpec) and spec.asked.regime == regime.chosen_from
        ]
        known = [
            seconds * estimator.ranks(spec)
            for spec in runs
            if (seconds := estimator.seconds(spec)) is not None
        ]
        phases = len(regimes.find(regime.chosen_from).phases(plan.study))
        if known and phases > 1:
            yield (
                f"search: {say_seconds(sum(known))} of device time train all {phases} phases of "
                f"{regime.chosen_from}, of which {regime.name} deploys one a target"
            )


def _name_of_stage(spec: RunSpec) -> str:
    label = spec.asked.label
    return spec.stage if label == spec.stage else f"{spec.stage} ({label})"


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
        return _NOTHING
    if count < 10**6:
        return f"{count / 1000:.0f} k"
    return f"{count / 10**6:.1f} M" if count < 10**9 else f"{count / 10**9:.1f} G"
