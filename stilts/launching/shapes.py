"""Which machine shape of a cluster each run gets, and whether the run can use it."""

import typing
from collections.abc import Sequence

from hpc.cluster import Cluster
from hpc.errors import UserError, refuse_unknown
from hpc.jobs import Shape
from stilts.run.specs import Phase, RunSpec, stages


def shape_of(spec: RunSpec, cluster: Cluster) -> Shape:
    """The shape a cluster has for a run: its phase's, its stage's, or the default."""
    return cluster.shape_of(*dict.fromkeys((spec.asked.label, spec.stage)))


def check_shapes(specs: Sequence[RunSpec], cluster: Cluster) -> None:
    """Refuses shapes that no run asks for, several ranks for what runs on one, and what no machine holds.

    Raises:
        UserError: which shape, and what to write instead.
    """
    labels = {spec.asked.label for spec in specs}
    known = sorted({"default", *typing.get_args(Phase), *stages(), *labels})
    for sort, names in (("shape", cluster.shapes), ("pace", cluster.pace)):
        refuse_unknown(sort, names, known, where=f"cluster {cluster.summary or cluster.scheduler}")
    for spec in specs:
        shape = shape_of(spec, cluster)
        ranks = shape.ranks
        if ranks > 1 and not spec.asked.is_distributed:
            raise UserError(
                f"the shape for {spec.stage} has {ranks} ranks, and runs of that stage are one process: "
                f"write [shapes.{spec.stage}] with nodes = 1 and tasks_per_node = 1 into the cluster file"
            )
        if cluster.scheduler == "local":
            cluster.local.refuse_if_impossible(spec.id, shape)
