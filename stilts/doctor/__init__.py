"""What works here and what will not: each look is a `Finding`."""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from hpc.finding import Finding
from stilts.doctor.around import data, hub, slurm
from stilts.doctor.machine import compiler, device, disk, locks, terminal
from stilts.doctor.requirements import INSTALL, packages


def examine(runs: Path) -> Iterator[Finding]:
    """Everything that is looked at, in the order in which it matters."""
    yield Finding(
        what="Python",
        told=f"{sys.version.split()[0]}, {sys.executable}",
        is_well=sys.version_info >= (3, 11),
        advice="install Python 3.11 or newer, and make the environment with it",
    )
    looks: dict[str, Callable[[], Finding]] = {
        "packages": packages,
        "GPU": device,
        "compiler": compiler,
        "SLURM": slurm,
        "Hub": hub,
        "data": data,
        "disk": partial(disk, runs),
        "locks": partial(locks, runs),
        "terminal": terminal,
    }
    for what, look in looks.items():
        try:
            yield look()
        except Exception as error:  # a broken package may raise anything; the rest is looked at all the same
            told = f"not looked at: {type(error).__name__}: {error}"
            yield Finding(what=what, told=told, is_well=False, advice=f"if a package is to blame: {INSTALL}")
