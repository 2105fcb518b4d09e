"""A real SLURM on this machine, to try a launch with: `python slurm/dev-cluster up`, `status`, `down`.

Debian's packages, as any user, nothing of /etc is used:
    apt-get install --no-install-recommends slurmctld slurmd slurm-client slurmdbd munge mariadb-server

All nodes are this machine, told apart by their ports, with two partitions (`main` preempts `low`) and GPUs
that SLURM hands out though none is there.
"""

import argparse
import os
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from configuration import Wishes, write_configuration
from daemons import Daemons

from hpc.command import Parser, command, dispatch
from hpc.errors import UserError

_WISHES = {
    "nodes": "nodes",
    "cpus": "CPUs of a node",
    "memory_gb": "memory of a node",
    "gpus": "GPUs of a node, 0 to 6",
    "kill_wait": "seconds from SIGTERM to SIGKILL",
    "epilog": "seconds each job stays COMPLETING",
    "max_submit": "jobs a user may have at a time; 0: any number",
    "max_array": "longest array, and one more",
}
_PACKAGES = "slurmctld slurmd slurm-client slurmdbd munge mariadb-server"


@command
def main(arguments: list[str]) -> int:
    """The command line; see `--help`."""
    return dispatch(arguments, {"up": up, "down": down, "status": status}, __doc__ or "")


def up(arguments: list[str]) -> int:
    """Starts the cluster and prints what a shell needs to use it."""
    parser = _parser("up", "Start a SLURM of its own.")
    defaults = Wishes()
    for name, meaning in _WISHES.items():
        default = getattr(defaults, name)
        flag = f"--{name.replace('_', '-')}"
        parser.add_argument(flag, type=int, default=default, metavar="N", help=f"{meaning} ({default})")
    asked = parser.parse_args(arguments)
    folder = asked.folder
    daemons = Daemons(folder)
    if daemons.alive():
        raise UserError(f"a cluster runs in {folder} already; take it down first")
    daemons.refuse_what_cannot_run(_PACKAGES)
    wishes = Wishes(**{name: getattr(asked, name) for name in _WISHES})
    write_configuration(folder, wishes)
    with _taken_down_upon_failure(daemons):
        daemons.start(wishes)
    print(f"export SLURM_CONF={shlex.quote(str(folder / 'etc' / 'slurm.conf'))}")
    print(f"# then: python -m stilts.launch --grid all --cluster {folder / 'dev.toml'}")
    return 0


def down(arguments: list[str]) -> int:
    """Ends the cluster and all its jobs."""
    folder = _parser("down", "End the cluster and its jobs.").parse_args(arguments).folder
    if not Daemons(folder).stop():
        print(f"no cluster runs in {folder}")
    return 0


def status(arguments: list[str]) -> int:
    """Says which daemons run; code 1 when some are missing."""
    folder = _parser("status", "Which daemons run.").parse_args(arguments).folder
    daemons = Daemons(folder)
    alive, known = daemons.alive(), daemons.known()
    for one in known:
        print(f"{one.name:<16} {one.pid if one in alive else 'ended'}")
    if not known:
        print(f"no cluster runs in {folder}")
    return 0 if known and len(alive) == len(known) else 1


@contextmanager
def _taken_down_upon_failure(daemons: Daemons) -> Iterator[None]:
    try:
        yield
    except BaseException:
        daemons.stop()
        raise


def _parser(verb: str, about: str) -> argparse.ArgumentParser:
    parser = Parser("slurm", about)
    parser.prog = f"python slurm/dev-cluster {verb}"
    # Short: munge's socket lies there, and a socket's path has 107 bytes at most.
    default = Path(tempfile.gettempdir()) / f"stilts-slurm-{os.getuid()}"
    parser.add_argument(
        "--folder", metavar="FOLDER", type=_absolute, default=default, help=f"where it all lies ({default})"
    )
    return parser


def _absolute(text: str) -> Path:
    path = Path(text).absolute()
    if len(str(path)) > 80:
        raise argparse.ArgumentTypeError(f"{path} is too long for a socket in it: at most 80 characters")
    return path


if __name__ == "__main__":
    sys.exit(main())
