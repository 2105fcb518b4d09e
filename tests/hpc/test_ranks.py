import os
import random
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from hpc import ranks
from hpc.errors import UserError

MANAGED = ("SLURM_", "MASTER_", "GLOO_", "LOCAL_")


@pytest.fixture(autouse=True)
def no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ, "RANK", "WORLD_SIZE", "DS_ACCELERATOR", "MASTER_ADDR", "MASTER_PORT"]:
        if name.startswith(MANAGED) or name in ("RANK", "WORLD_SIZE", "DS_ACCELERATOR"):
            # Set first, so that what the code under test adds is taken back afterwards.
            monkeypatch.setenv(name, "")
            monkeypatch.delenv(name)
    for name in ("LOCAL_RANK", "LOCAL_WORLD_SIZE", "LOCAL_SIZE", "GLOO_SOCKET_IFNAME"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch):
    import torch

    def have(count: int) -> None:
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)

    have(0)
    return have


STEP = {
    "SLURM_JOB_ID": "1234",
    "SLURM_STEP_ID": "0",
    "SLURM_STEP_NUM_TASKS": "6",
    "SLURM_STEP_NUM_NODES": "2",
    "SLURM_STEP_NODELIST": "127.0.0.[1-2]",
    "SLURM_STEP_TASKS_PER_NODE": "4,2",
    "SLURM_PROCID": "5",
    "SLURM_LOCALID": "1",
    "SLURM_NODEID": "1",
}


def step(monkeypatch: pytest.MonkeyPatch, **changes: str) -> None:
    for name, value in (STEP | changes).items():
        monkeypatch.setenv(name, value)


def test_alone_is_rank_zero_of_one_on_a_free_port(gpus) -> None:
    place = ranks.setup()
    assert (place.rank, place.world_size, place.local_rank, place.device) == (0, 1, 0, "cpu")
    assert place.first
    assert os.environ["DS_ACCELERATOR"] == "cpu"
    assert os.environ["GLOO_SOCKET_IFNAME"] == "lo"
    with socket.socket() as probe:
        probe.bind((os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])))


def test_torchrun_is_believed_even_inside_a_slurm_step(gpus, monkeypatch) -> None:
    step(monkeypatch)
    given = {
        "RANK": "3",
        "WORLD_SIZE": "4",
        "LOCAL_RANK": "1",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": "29500",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert ranks.setup() == ranks.Ranks(rank=3, world_size=4, local_rank=1, local_size=2, device="cpu")
    assert os.environ["MASTER_PORT"] == "29500"


def test_a_slurm_step_gives_the_place(gpus, monkeypatch) -> None:
    step(monkeypatch)
    assert ranks.setup() == ranks.Ranks(rank=5, world_size=6, local_rank=1, local_size=2, device="cpu")
    assert os.environ["MASTER_ADDR"] == "127.0.0.1"
    assert os.environ["LOCAL_WORLD_SIZE"] == os.environ["LOCAL_SIZE"] == "2"


def test_a_batch_script_is_one_process_whatever_it_will_start(gpus, monkeypatch) -> None:
    for name, value in {"SLURM_JOB_ID": "9", "SLURM_PROCID": "0", "SLURM_NTASKS": "8"}.items():
        monkeypatch.setenv(name, value)
    assert ranks.setup().world_size == 1


def test_the_port_is_agreed_on_and_changes_with_each_requeue() -> None:
    ports = {ranks.port_of(STEP | {"SLURM_RESTART_COUNT": str(count)}) for count in range(5)}
    assert len(ports) == 5
    assert ranks.port_of(STEP) == ranks.port_of(STEP | {"SLURM_PROCID": "0"})
    many = {ranks.port_of({"SLURM_JOB_ID": str(job)}) for job in range(100000, 100200)}
    assert len(many) == 200
    assert all(20000 <= port < 32000 for port in ports | many)


@pytest.mark.parametrize(
    ("nodes", "first"),
    [
        ("node7", "node7"),
        ("node[03-05,9]-ib,other", "node03-ib"),
        ("a,b", "a"),
        ("gpu-[12,14]", "gpu-12"),
        ("127.0.0.[1-3]", "127.0.0.1"),
        ("rack1n[01-04],rack2n[01-04]", "rack1n01"),
    ],
)
def test_first_host(nodes: str, first: str) -> None:
    assert ranks.first_host(nodes) == first


def test_a_name_only_slurm_knows_is_resolved_by_scontrol(tmp_path: Path, monkeypatch) -> None:
    fake = tmp_path / "scontrol"
    fake.write_text('#!/bin/sh\necho "NodeName=$3 Arch=x86_64 NodeAddr=127.0.0.9 NodeHostName=x"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert ranks.resolve("no-such-node.invalid") == "127.0.0.9"
    fake.write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(UserError, match=r"cannot resolve node no-such-node.invalid"):
        ranks.resolve("no-such-node.invalid")


@pytest.mark.parametrize(
    ("count", "changes", "device"),
    [
        (4, {}, "cuda:1"),
        (1, {"SLURM_GPUS_PER_TASK": "1"}, "cuda:0"),
        (1, {"SLURM_GPUS_ON_NODE": "2"}, "cuda:0"),
    ],
)
def test_each_rank_has_its_device(gpus, monkeypatch, count: int, changes: dict, device: str) -> None:
    gpus(count)
    step(monkeypatch, **changes)
    assert ranks.setup().device == device
    assert "DS_ACCELERATOR" not in os.environ


def test_more_ranks_than_gpus_is_refused(gpus, monkeypatch) -> None:
    gpus(1)
    step(monkeypatch)
    with pytest.raises(UserError, match="2 ranks on this machine but 1 GPUs"):
        ranks.setup()


def test_the_interface_of_the_loopback_is_lo() -> None:
    assert ranks.interface_towards("127.0.0.1") == "lo"


def test_an_environment_that_was_left_over_is_refused_or_makes_sense(monkeypatch, gpus) -> None:
    """Three thousand of them: nothing raw, and never a rank beyond the size."""
    chance = random.Random(1)
    values = (
        "",
        "0",
        "1",
        "2",
        "-1",
        "1.5",
        "x",
        "\u0663",
        "9" * 5000,
        "3,",
        "2(x2)",
        "(x2)",
        " 1",
        "1\n",
        "node[1-2]",
    )
    accepted = 0
    for _ in range(3000):
        some = {}
        for name in (*ranks._TORCHRUN, "LOCAL_WORLD_SIZE", *STEP, "SLURM_RESTART_COUNT"):
            if chance.random() < 0.7:
                some[name] = chance.choice(values)
        if chance.random() < 0.3:  # nearly right
            some = STEP | {name: some[name] for name in list(some)[:1]}
        place: dict[str, str] = {}
        with suppress(UserError):
            place = ranks._place(some)
        if not place:
            continue
        accepted += 1
        assert 0 <= int(place["RANK"]) < int(place["WORLD_SIZE"])
        assert 0 <= int(place["LOCAL_RANK"]) < int(place["LOCAL_WORLD_SIZE"]) <= int(place["WORLD_SIZE"])
        assert 0 < int(place["MASTER_PORT"]) < 65536
    assert accepted > 50


def test_a_rank_beyond_the_size_is_told(monkeypatch, gpus) -> None:
    left = {
        "RANK": "1",
        "WORLD_SIZE": "1",
        "LOCAL_RANK": "0",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": "2000",
    }
    for name, value in left.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match="RANK=1 of WORLD_SIZE=1: is it left over from another job"):
        ranks.setup()
