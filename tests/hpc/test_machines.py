from pathlib import Path

import pytest

from hpc.errors import UserError
from hpc.jobs import Shape
from hpc.slurm import machines as module
from hpc.slurm.logs import lost_rank
from hpc.slurm.machines import largest_memory_gb, machines, refuse_if_impossible
from hpc.slurm.settings import SlurmSettings

# As clusters write them: nodes of several sizes, GPUs by sort and socket, limits in days.
SINFO = """
gpu*|g1|128|515000|gpu:a100:4(S:0-1)|2-00:00:00|a100,ib
gpu*|g2|128+|1031000+|gpu:a100:4(S:0),gpu:a100:4(S:1)|2-00:00:00|a100
cpu|c1|64|256000|(null)|infinite|(null)
short|g1|128|515000|gpu:a100:4(S:0-1)|30:00|a100,ib
"""


@pytest.fixture
def cluster(monkeypatch):
    monkeypatch.setattr(module, "run", lambda _: SINFO)
    return machines()


def test_nodes_are_read_as_sinfo_writes_them(cluster) -> None:
    assert [(one.partition, one.is_default, one.gpus, one.limit_minutes) for one in cluster] == [
        ("gpu", True, 4, 2880),
        ("gpu", True, 8, 2880),
        ("cpu", False, 0, float("inf")),
        ("short", False, 4, 30),
    ]
    assert cluster[1].memory_gb == pytest.approx(1007, abs=1)
    assert cluster[0].features == {"a100", "ib"}


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        (Shape(gpus_per_node=8, nodes=2), "asks for 2 nodes, and its partition has 1 that fit"),
        (Shape(gpus_per_node=9), "asks for 9 GPUs a node, and the default partition gives 8 at most"),
        (Shape(partition="cpu", gpus_per_node=1), "partition cpu gives 0 at most"),
        (Shape(partition="gpus"), "unknown partition 'gpus' in this cluster. Did you mean 'gpu'?"),
        (Shape(constraint="h100"), "asks for nodes with h100; there are a100, ib"),
        (Shape(partition="short", minutes=31), "asks for 31 minutes, and partition short gives 30 at most"),
        # One node has the memory, another the feature.
        (Shape(memory_gb=900, constraint="ib"), "asks for nodes with ib; there are a100"),
    ],
)
def test_what_no_node_has_is_named(cluster, shape: Shape, said: str) -> None:
    with pytest.raises(UserError) as caught:
        refuse_if_impossible("multi-s1", shape, SlurmSettings(), cluster)
    assert str(caught.value).startswith(("multi-s1 ", "unknown partition"))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "shape",
    [
        Shape(nodes=2, gpus_per_node=4, constraint="a100"),
        Shape(partition="cpu,gpu", nodes=3, memory_gb=200),
        Shape(constraint="[a100|h100]"),
        Shape(partition="short", minutes=600, qos="long"),
    ],
)
def test_what_some_nodes_have_is_let_through(cluster, shape: Shape) -> None:
    refuse_if_impossible("multi-s1", shape, SlurmSettings(), cluster)


def test_memory_grows_to_the_largest_node_of_the_partition(cluster) -> None:
    assert largest_memory_gb(Shape(partition="cpu"), SlurmSettings(), cluster) == 250
    assert largest_memory_gb(Shape(), SlurmSettings(), []) == float("inf")


LOG = """submitit INFO - Starting with JobEnvironment(job_id=8, global_rank=0(2))
srun: error: n1: task 0: Killed
submitit INFO - Starting with JobEnvironment(job_id=8, global_rank=0(2))
RuntimeError: Connection closed by peer
{lines}
srun: error: n1: task 0: Terminated
"""


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("srun: error: n2: task 1: Killed", "rank 1 was killed"),
        ("srun: error: n2: tasks 1,3-4: Out Of Memory", "ranks 1,3-4 were ended for want of memory"),
        ("srun: error: n2: task 1: Segmentation fault", "rank 1 was ended: Segmentation fault"),
        ("srun: error: n2: task 1: Exited with exit code 1\nsrun: error: n1: task 0: Killed", ""),
    ],
)
def test_the_rank_that_was_lost_first_is_read_off_the_log(tmp_path: Path, lines: str, said: str) -> None:
    log = tmp_path / "log"
    log.write_text(LOG.format(lines=lines))
    assert lost_rank(log) == said
    assert lost_rank(tmp_path / "none") == ""
