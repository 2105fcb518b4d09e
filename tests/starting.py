"""Starts the ranks of a run as torchrun would: processes that meet at a port of this machine."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[1]


def start_ranks(
    arguments: Sequence[object], *, world: int, output: IO[Any] | int = subprocess.PIPE, **environment: object
) -> list["subprocess.Popen[str]"]:
    """One `python ARGUMENTS` a rank, what it prints and complains of together in `output`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    common = {"WORLD_SIZE": world, "LOCAL_WORLD_SIZE": world, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    common |= {"OMP_NUM_THREADS": 1, "TORCHDYNAMO_DISABLE": 1, "PYTHONPATH": ROOT, **environment}
    return [
        subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            env=os.environ | {k: str(v) for k, v in (common | {"RANK": rank, "LOCAL_RANK": rank}).items()},
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(world)
    ]


def run_ranks(
    arguments: Sequence[object], *, world: int, timeout: float = 300, **environment: object
) -> list[tuple[int, str]]:
    """Exit code and output of each rank."""
    processes = start_ranks(arguments, world=world, **environment)
    outputs = [process.communicate(timeout=timeout)[0] for process in processes]
    return [(process.returncode, output) for process, output in zip(processes, outputs, strict=True)]


def outputs_of_ranks(arguments: Sequence[object], *, world: int, **how: Any) -> list[str]:
    """What each rank says; all must end well."""
    ended = run_ranks(arguments, world=world, **how)
    assert all(code == 0 for code, _ in ended), "\n".join(output[-3000:] for code, output in ended if code)
    return [output for _, output in ended]
