"""How the ranks of a job find each other: through a store that is no wider open than it has to be.

torch's own store listens on every interface of a machine and asks nobody who they are. A rank alone needs no
network at all; several listen where their master's address is, which on one machine is the machine itself.
"""

import os
import socket
from datetime import timedelta
from typing import TYPE_CHECKING

from hpc.errors import UserError
from hpc.ranks import Ranks

if TYPE_CHECKING:
    from torch.distributed import Store  # type: ignore[attr-defined]

PATIENCE = timedelta(minutes=30)
"""How long a rank waits for the others."""


def join(place: Ranks) -> None:
    """Makes the process group of the job, where there is none yet.

    Raises:
        UserError: the port is taken, or the master's address is not this machine's (code 1).
    """
    from torch import distributed

    if distributed.is_initialized():
        return
    backend = "gloo" if place.device == "cpu" else "nccl"
    if "TORCHELASTIC_RUN_ID" in os.environ:  # torchrun has a store of its own at that address
        distributed.init_process_group(backend, timeout=PATIENCE)
        return
    store = _store(place)
    distributed.init_process_group(
        backend, store=store, rank=place.rank, world_size=place.world_size, timeout=PATIENCE
    )


def _store(place: Ranks) -> "Store":
    from torch.distributed import HashStore, TCPStore  # type: ignore[attr-defined]

    if place.world_size == 1:
        return HashStore()
    host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    if place.rank:
        return TCPStore(host, port, place.world_size, is_master=False, timeout=PATIENCE)
    descriptor = listener(host, port, apart=place.local_size < place.world_size)
    return TCPStore(
        host, port, place.world_size, is_master=True, timeout=PATIENCE, master_listen_fd=descriptor
    )


def listener(host: str, port: int, *, apart: bool) -> int:
    """A listening socket at the master's address.

    Args:
        host: the address.
        port: the port.
        apart: whether other machines must reach it: then one that names itself by a loopback address, as
            some distributions have it in /etc/hosts, listens wherever it can.

    Raises:
        UserError: another process has the port, or the address is unknown or another machine's (code 1).
    """
    try:
        address = socket.gethostbyname(host)
        made = socket.create_server(
            ("" if apart and address.startswith("127.") else address, port), backlog=1024
        )
    except OSError as error:
        raise UserError(
            f"the ranks cannot meet at {host}:{port}: {error.strerror}; the same command again takes another "
            "port, or set MASTER_ADDR and MASTER_PORT",
            code=1,
        ) from error
    return made.detach()
