"""Who am I among the processes of this job: `setup()` answers from torchrun's variables, SLURM's, or alone.

It also sets what DeepSpeed and torch.distributed read: RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE,
MASTER_ADDR, MASTER_PORT, and the network interface for gloo. Call it before anything is initialised.
"""

import fcntl
import os
import re
import socket
import struct
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from hpc.errors import UserError
from hpc.files import is_there

_TORCHRUN = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
# Below the range from which kernels draw the ports of outgoing connections.
_FIRST_PORT, _NUM_PORTS = 20000, 12000
_SIOCGIFADDR = 0x8915
_ADVICE = (
    "is it left over from another job? Start a new shell, or unset RANK, WORLD_SIZE and what belongs to them"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranks:
    """This process's place in the job."""

    rank: int
    world_size: int
    local_rank: int
    local_size: int = 1
    """Processes of the job on this machine."""
    device: str
    """`cpu`, or `cuda:N` as this process sees it."""

    @property
    def first(self) -> bool:
        """Whether this is the process that writes results."""
        return self.rank == 0


def setup() -> Ranks:
    """Finds this process's place and sets the environment that torch.distributed and DeepSpeed need.

    Raises:
        UserError: more ranks on this machine than GPUs it has, GPUs that SLURM gave but torch does not see,
            or a master's name that does not resolve.
    """
    variables = _place(os.environ)
    os.environ.update(variables)
    os.environ.setdefault("LOCAL_SIZE", variables["LOCAL_WORLD_SIZE"])
    os.environ.setdefault("GLOO_SOCKET_IFNAME", interface_towards(variables["MASTER_ADDR"]))
    device = _device(int(variables["LOCAL_RANK"]), int(variables["LOCAL_WORLD_SIZE"]))
    if device == "cpu":
        os.environ["DS_ACCELERATOR"] = "cpu"
    return Ranks(
        rank=int(variables["RANK"]),
        world_size=int(variables["WORLD_SIZE"]),
        local_rank=int(variables["LOCAL_RANK"]),
        local_size=int(variables["LOCAL_WORLD_SIZE"]),
        device=device,
    )


def _place(environment: Mapping[str, str]) -> dict[str, str]:
    if all(name in environment for name in _TORCHRUN):
        local = environment.get("LOCAL_WORLD_SIZE") or str(_number(environment, "LOCAL_RANK") + 1)
        return _checked({name: environment[name] for name in _TORCHRUN} | {"LOCAL_WORLD_SIZE": local})
    # Set for the tasks of srun but not in a batch script, whose SLURM_NTASKS counts tasks yet to start.
    if "SLURM_STEP_NUM_TASKS" in environment and "SLURM_PROCID" in environment:
        return _checked(_place_in_step(environment))
    return {
        "RANK": "0",
        "WORLD_SIZE": "1",
        "LOCAL_RANK": "0",
        "LOCAL_WORLD_SIZE": "1",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(_free_port()),
    }


def _place_in_step(environment: Mapping[str, str]) -> dict[str, str]:
    nodes = environment.get("SLURM_STEP_NODELIST") or environment.get("SLURM_JOB_NODELIST", "")
    single = environment.get("SLURM_STEP_NUM_NODES", "1") == "1"
    return {
        "RANK": environment["SLURM_PROCID"],
        "WORLD_SIZE": environment["SLURM_STEP_NUM_TASKS"],
        "LOCAL_RANK": environment.get("SLURM_LOCALID", "0"),
        "LOCAL_WORLD_SIZE": str(_tasks_here(environment)),
        "MASTER_ADDR": "127.0.0.1" if single else resolve(first_host(nodes)),
        "MASTER_PORT": str(port_of(environment)),
    }


def _checked(place: dict[str, str]) -> dict[str, str]:
    """A place that there can be: an environment that was left over says anything.

    Raises:
        UserError: which variable is wrong, and how.
    """
    rank, size, local, here, port = (
        _number(place, name)
        for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_PORT")
    )
    for wrong, what in (
        (rank >= size, f"RANK={rank} of WORLD_SIZE={size}"),
        (not 1 <= here <= size, f"LOCAL_WORLD_SIZE={here} of WORLD_SIZE={size}"),
        (local >= here, f"LOCAL_RANK={local} of LOCAL_WORLD_SIZE={here}"),
        (not 0 < port < 1 << 16, f"MASTER_PORT={port}"),
        (not place["MASTER_ADDR"], "MASTER_ADDR is empty"),
    ):
        if wrong:
            raise UserError(f"the environment says {what}: {_ADVICE}")
    return place


def _number(environment: Mapping[str, str], name: str, default: str = "") -> int:
    text = environment.get(name, default)
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise UserError(f"the environment says {name}={text[:40]!r}, which is no number: {_ADVICE}")
    return int(text)


def _tasks_here(environment: Mapping[str, str]) -> int:
    """Tasks on this node, from `2(x3),1`: counts by node, repeated ones abbreviated."""
    counts: list[int] = []
    text = environment.get("SLURM_STEP_TASKS_PER_NODE", "1")
    for part in text.split(","):
        found = re.fullmatch(r"([0-9]{1,6})(?:\(x([0-9]{1,6})\))?", part)
        if found is None:
            raise UserError(f"the environment says SLURM_STEP_TASKS_PER_NODE={text[:40]!r}: {_ADVICE}")
        counts += [int(found[1])] * int(found[2] or 1)
    if not counts:
        raise UserError(f"the environment says SLURM_STEP_TASKS_PER_NODE={text[:40]!r}: {_ADVICE}")
    return counts[min(_number(environment, "SLURM_NODEID", "0"), len(counts) - 1)]


def port_of(environment: Mapping[str, str]) -> int:
    """A port all ranks of a step agree on; another one after each requeue, as the old one may be held."""
    job = _number(environment, "SLURM_JOB_ID", "0")
    restart = _number(environment, "SLURM_RESTART_COUNT", "0")
    step = _number(environment, "SLURM_STEP_ID", "0")
    return _FIRST_PORT + (job * 101 + step * 37 + restart * 1009) % _NUM_PORTS


def has_gpu_driver() -> bool:
    """Whether a driver promises a GPU: quickly, and without torch, which may yet see none."""
    return any(map(is_there, ("/dev/nvidiactl", "/dev/kfd")))


def first_host(nodes: str) -> str:
    """The first name of SLURM's compressed list: `node[03-05,9]-ib,other` begins with `node03-ib`."""
    match = re.match(r"([^,\[]*)(?:\[(\w+)[^\]]*\])?([^,\[]*)", nodes)
    name = "".join(part or "" for part in match.groups()) if match else ""
    if not name:
        raise UserError(f"cannot read the host list {nodes!r} of this job step", code=1)
    return name


def resolve(host: str) -> str:
    """The address of a node. Its SLURM name need not be known to the resolver: then SLURM is asked.

    Raises:
        UserError: neither knows it.
    """
    with suppress(OSError, ValueError):  # a name that no resolver takes is a ValueError
        return socket.gethostbyname(host)
    with suppress(OSError, ValueError, subprocess.SubprocessError):
        shown = subprocess.run(
            ["scontrol", "show", "node", host, "--oneliner"],
            capture_output=True,
            text=True,
            timeout=30,
            encoding="utf-8",
            errors="replace",
        ).stdout
        found = re.search(r"\bNodeAddr=(\S+)", shown)
        if found:
            return socket.gethostbyname(found.group(1))
    raise UserError(
        f"cannot resolve node {host}: neither the resolver nor scontrol knows its address", code=1
    )


def interface_towards(address: str) -> str:
    """The network interface that reaches `address`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, 9))
            ours = probe.getsockname()[0]
        except OSError:
            return "lo"
        for _, name in socket.if_nameindex():
            with suppress(OSError):
                request = struct.pack("256s", name[:15].encode())
                answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, request)
                if socket.inet_ntoa(answer[20:24]) == ours:
                    return name
    return "lo"


def _device(local_rank: int, local_size: int) -> str:
    import torch

    count = torch.cuda.device_count()
    if count == 0:
        _refuse_to_waste(os.environ, torch.__version__)
        return "cpu"
    if count == 1 and local_size > 1 and _has_own_gpu(local_size):
        return "cuda:0"
    if local_size > count:
        raise UserError(
            f"{local_size} ranks on this machine but {count} GPUs; ask for one GPU a rank", code=1
        )
    return f"cuda:{local_rank}"


def _refuse_to_waste(environment: Mapping[str, str], version: str) -> None:
    """A job that was given GPUs shall not compute on the CPU for hours, and be timed as if it had not."""
    given = environment.get("SLURM_STEP_GPUS") or environment.get("SLURM_JOB_GPUS")
    count = environment.get("SLURM_GPUS_ON_NODE", "0")
    if given or count not in ("", "0"):
        which = f" ({given})" if given else ""
        raise UserError(
            f"SLURM gave this job GPUs{which} on {socket.gethostname()}, but torch {version} sees none: "
            "install a CUDA build of torch, look at the driver with nvidia-smi, or ask for gpus_per_node = 0",
            code=1,
        )


def _has_own_gpu(local_size: int) -> bool:
    """Bound by SLURM, each rank sees one GPU that the others do not."""
    return "SLURM_GPUS_PER_TASK" in os.environ or int(os.environ.get("SLURM_GPUS_ON_NODE", "1")) >= local_size


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
