"""Ranks meet where nobody else can listen in: no store for one, the master's address alone for several."""

import socket
import subprocess
import sys

import pytest

from hpc import children, meeting
from hpc.errors import UserError

WORKER = """
import os, sys
from pathlib import Path
from hpc import collective, meeting, ranks

def listening():
    inodes = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(descriptor)
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                yield fields[1].partition(":")[0]

meeting.join(ranks.setup())
total = collective.largest(collective.rank() + 1)
print(total, *sorted(set(listening())))
"""
LOOPBACK = "0100007F"


def meet(count: int, **more: str) -> list[list[str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    place = {"WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1"}
    if count == 1:
        place = {}
    workers = []
    for rank in range(count):
        own = place | ({"RANK": str(rank), "LOCAL_RANK": str(rank), "MASTER_PORT": port} if place else {})
        workers.append(
            subprocess.Popen(
                [sys.executable, "-c", WORKER],
                env=children.environment() | own | more,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
            )
        )
    said = [worker.communicate(timeout=120) for worker in workers]
    assert all(worker.returncode == 0 for worker in workers), said
    return [out.split() for out, _ in said]


PLAIN = """
import torch
from hpc.engine import Linear, make_engine
from hpc.zero import Zero
module = torch.nn.Linear(4, 4)
groups = [{"params": list(module.parameters()), "lr": 1e-3}]
place = ranks.setup()
schedule = Linear(steps=2, warmup=1)
engine = make_engine(module, groups, zero=Zero(precision="fp32"), place=place, schedule=schedule)
engine.backward(engine(torch.ones(1, 4)).sum())
engine.step()
"""


def alone(middle: str) -> list[str]:
    own = WORKER.replace("meeting.join(ranks.setup())", middle)
    assert own != WORKER
    result = subprocess.run(
        [sys.executable, "-c", own],
        env=children.environment(),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return result.stdout.splitlines()[-1].split()


def test_one_rank_that_spreads_nothing_listens_nowhere() -> None:
    assert alone(PLAIN) == ["1"]


def test_one_rank_under_zero_has_no_store() -> None:
    """Gloo has a socket for its other ranks even where there are none; it is the machine's own."""
    assert set(meet(1)[0][1:]) <= {LOOPBACK}


def test_two_ranks_listen_on_this_machine_alone() -> None:
    for found in meet(2):
        assert found[0] == "2"
        assert set(found[1:]) <= {LOOPBACK}


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            UserError, match=f"the ranks cannot meet at 127.0.0.1:{port}: Address already in use"
        ):
            meeting.listener("127.0.0.1", port, apart=False)


def test_a_master_that_only_knows_itself_by_loopback_is_reached_from_other_machines() -> None:
    for apart, host in ((True, "0.0.0.0"), (False, "127.0.0.1")):
        descriptor = meeting.listener("127.0.0.1", 0, apart=apart)
        with socket.socket(fileno=descriptor) as listening:
            assert listening.getsockname()[0] == host


def test_the_worker_would_see_a_listener() -> None:
    """Or the tests above could not fail."""
    middle = "import socket; s = socket.create_server(('', 0)); meeting.join(ranks.setup())"
    assert "00000000" in alone(middle)


def test_an_address_that_nobody_knows_is_told() -> None:
    with pytest.raises(UserError, match=r"the ranks cannot meet at nowhere\.invalid:2000"):
        meeting.listener("nowhere.invalid", 2000, apart=True)
