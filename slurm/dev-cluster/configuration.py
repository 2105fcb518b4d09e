"""The files a private SLURM is configured by."""

import getpass
import os
import secrets
import shutil
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from hpc.errors import UserError

# Each GPU needs a device file; these are on every machine.
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/ptmx")
# Below the range from which kernels draw the ports of outgoing connections, above what ranks meet at.
_FIRST_PORT, _LAST_PORT = 32000, 32700


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the cluster shall be like; `up --help` says it in words."""

    nodes: int = 2
    cpus: int = 4
    memory_gb: int = 8
    gpus: int = 2
    kill_wait: int = 5
    epilog: int = 0
    max_submit: int = 0
    max_array: int = 1001


def write_configuration(folder: Path, wishes: Wishes) -> None:
    """Writes `etc/`, empty folders for state and logs, and `dev.toml` for the launcher.

    Raises:
        UserError: a wish that cannot be met.
    """
    if not 0 <= wishes.gpus <= len(_DEVICES):
        raise UserError(f"--gpus should be 0 to {len(_DEVICES)}, not {wishes.gpus}")
    if not 1 <= wishes.nodes <= 100:
        raise UserError(f"--nodes should be 1 to 100, not {wishes.nodes}")
    for name in ("etc", "run", "log", "state", "spool", "data"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(mode=0o700, parents=True)
    for node in node_names(wishes):
        (folder / "spool" / node).mkdir()
    etc = folder / "etc"
    _write(etc / "munge.key", secrets.token_bytes(1024))
    ports = _free_ports(wishes.nodes + 2)
    _write(etc / "slurm.conf", _slurm(folder, wishes, ports).encode())
    _write(etc / "slurmdbd.conf", _slurmdbd(folder, ports[1]).encode())
    gres = [
        f"NodeName={node} Name=gpu File={device}"
        for node in node_names(wishes)
        for device in _DEVICES[: wishes.gpus]
    ]
    _write(etc / "gres.conf", ("\n".join(gres) + "\n").encode())
    epilog = etc / "epilog.sh"
    _write(epilog, f"#!/bin/sh\nexec sleep {wishes.epilog}\n".encode())
    epilog.chmod(0o700)
    _write(folder / "dev.toml", _cluster_file(folder).encode())


def node_names(wishes: Wishes) -> list[str]:
    """Addresses of this machine: names that every resolver knows."""
    return [f"127.0.0.{number}" for number in range(1, wishes.nodes + 1)]


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)


def _free_ports(count: int) -> list[int]:
    """Ports in a row that nobody listens on."""
    for first in range(_FIRST_PORT + os.getpid() % 400, _LAST_PORT):
        ports = list(range(first, first + count))
        if all(map(_is_free, ports)):
            return ports
    raise UserError(f"no {count} free ports in a row between {_FIRST_PORT} and {_LAST_PORT}", code=1)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _slurm(folder: Path, wishes: Wishes, ports: list[int]) -> str:
    host, user = socket.gethostname().partition(".")[0], getpass.getuser()
    last = wishes.nodes
    nodes = "127.0.0.1" if last == 1 else f"127.0.0.[1-{last}]"
    at = str(ports[2]) if last == 1 else f"[{ports[2]}-{ports[-1]}]"
    gres = f"Gres=gpu:{wishes.gpus} " if wishes.gpus else ""
    lines = f"""
        ClusterName=dev
        SlurmctldHost={host}(127.0.0.1)
        SlurmctldPort={ports[0]}
        CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
        SlurmUser={user}
        SlurmdUser={user}
        AuthType=auth/munge
        # How long a requeued job waits as well: 5 s is the least.
        AuthInfo=socket={folder}/run/munge.sock,cred_expire=5
        CredType=cred/munge
        StateSaveLocation={folder}/state
        SlurmdSpoolDir={folder}/spool/%n
        SlurmctldPidFile={folder}/run/slurmctld.pid
        SlurmdPidFile={folder}/run/slurmd.%n.pid
        SlurmctldLogFile={folder}/log/slurmctld.log
        SlurmdLogFile={folder}/log/slurmd.%n.log
        ProctrackType=proctrack/linuxproc
        TaskPlugin=task/none
        SwitchType=switch/none
        MpiDefault=none
        ReturnToService=2
        SelectType=select/cons_tres
        SelectTypeParameters=CR_CPU_Memory
        # Nodes may claim more than the machine has.
        SlurmdParameters=config_overrides
        SchedulerType=sched/backfill
        SchedulerParameters=bf_interval=3,sched_interval=3,sched_min_interval=0
        PriorityType=priority/multifactor
        PreemptType=preempt/partition_prio
        PreemptMode=REQUEUE
        SlurmctldParameters=preempt_send_user_signal
        JobRequeue=1
        DefMemPerCPU=500
        MaxArraySize={wishes.max_array}
        InactiveLimit=0
        MinJobAge=300
        KillWait={wishes.kill_wait}
        UnkillableStepTimeout=30
        SlurmctldTimeout=20
        SlurmdTimeout=15
        MessageTimeout=10
        BatchStartTimeout=20
        JobAcctGatherType=jobacct_gather/linux
        JobAcctGatherFrequency=task=5
        AccountingStorageType=accounting_storage/slurmdbd
        AccountingStorageHost=localhost
        AccountingStoragePort={ports[1]}
        # sacct does not read AuthInfo.
        AccountingStoragePass={folder}/run/munge.sock
        AccountingStorageTRES=gres/gpu
        {"AccountingStorageEnforce=associations,limits" if wishes.max_submit else ""}
        {f"Epilog={folder}/etc/epilog.sh" if wishes.epilog else ""}
        GresTypes=gpu
        NodeName={nodes} NodeHostname={host} NodeAddr=127.0.0.1 Port={at} CPUs={wishes.cpus} \
RealMemory={wishes.memory_gb * 1000} {gres}State=UNKNOWN
        PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE DefaultTime=10 State=UP PriorityTier=10 \
PreemptMode=REQUEUE
        PartitionName=low Nodes=ALL MaxTime=INFINITE DefaultTime=10 State=UP PriorityTier=1 \
PreemptMode=REQUEUE GraceTime=15
        """
    return "\n".join(line.strip() for line in lines.splitlines() if line.strip()) + "\n"


def _slurmdbd(folder: Path, port: int) -> str:
    lines = f"""
        AuthType=auth/munge
        AuthInfo=socket={folder}/run/munge.sock
        DbdHost=localhost
        DbdAddr=127.0.0.1
        DbdPort={port}
        CommunicationParameters=NoInAddrAny
        SlurmUser={getpass.getuser()}
        StorageType=accounting_storage/mysql
        StorageHost=localhost
        StorageUser=slurm
        StoragePass=slurm
        StorageLoc=slurm_acct_db
        LogFile={folder}/log/slurmdbd.log
        PidFile={folder}/run/slurmdbd.pid
        """
    return "\n".join(line.strip() for line in lines.splitlines() if line.strip()) + "\n"


def _cluster_file(folder: Path) -> str:
    path = f"{Path(sys.executable).parent}:$PATH"
    return f"""# A SLURM on this machine, made by slurm/dev-cluster. Its GPUs are none: runs ask for none.
scheduler = "slurm"
summary = "SLURM in {folder}"

[slurm]
partition = "main"
setup = ["export PATH={path}"]
signal_lead_seconds = 30
retry_seconds = 1

[environment]
TOKENIZERS_PARALLELISM = "false"
TORCHDYNAMO_DISABLE = "1"

[shapes.default]
memory_gb = 2
minutes = 30
"""
