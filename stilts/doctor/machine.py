"""The machine itself: processors and GPUs, compiler, disks, locks, terminal."""

import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from hpc import ranks
from hpc.finding import Finding

_GB = 2**30
_ROOM_GB = 20
"""Free space below which a study of XLM-R Large will not get far: a model is 2.2 GB, a checkpoint 6.7 GB."""


def device() -> Finding:
    """The GPUs that torch sees, and those that it does not."""
    import torch

    count = torch.cuda.device_count()
    driver = ranks.has_gpu_driver()
    if count:
        names = sorted({torch.cuda.get_device_name(number) for number in range(count)})
        return Finding(what="GPU", told=f"{count} x {', '.join(names)}")
    if driver:
        return Finding(
            what="GPU",
            told=f"there is a driver, and torch {torch.__version__} sees no GPU",
            is_well=False,
            advice="install a build of torch for it (pytorch.org), and look at nvidia-smi",
        )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GB
    return Finding(
        what="GPU",
        told=f"none; {os.cpu_count()} processors and {memory:.0f} GB of memory",
        is_well=False,
        matters=False,
        advice="the studies tiny and mini run on processors; XLM-R Large needs GPUs, through SLURM or here",
    )


def compiler() -> Finding:
    """Triton builds a small launcher for its kernels with the machine's compiler."""
    import torch

    found = next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), "")
    needed = torch.cuda.device_count() > 0
    return Finding(
        what="compiler",
        told=f"{found or 'none'}" + ("" if needed else " (only kernels on a GPU need one)"),
        is_well=bool(found) or not needed,
        advice="install gcc, or load its module: Triton starts its kernels through it",
    )


def disk(runs: Path) -> Finding:
    """Free space where runs and converted models will lie."""
    from stilts.model.pretrained import default_cache

    places = {"runs": _existing(runs.absolute()), "cache": _existing(default_cache().absolute())}
    free = {name: shutil.disk_usage(place).free / _GB for name, place in places.items()}
    closed = [str(place) for place in places.values() if not os.access(place, os.W_OK)]
    if closed:
        return Finding(
            what="disk",
            told=f"{closed[0]} cannot be written",
            is_well=False,
            advice="choose another place: --runs FOLDER, STILTS_CACHE=FOLDER",
        )
    return Finding(
        what="disk",
        told=", ".join(f"{amount:,.0f} GB free for {name}" for name, amount in free.items()),
        is_well=min(free.values()) >= _ROOM_GB,
        matters=min(free.values()) < 1,
        advice=f"a study of XLM-R Large wants {_ROOM_GB} GB and more: --runs FOLDER, STILTS_CACHE=FOLDER",
    )


def locks(runs: Path) -> Finding:
    """Whether the file system of the runs has locks, which keep two launches apart."""
    import fcntl
    import tempfile

    from hpc.files.locks import NO_LOCKS, flock

    with suppress(PermissionError), tempfile.TemporaryFile(dir=_existing(runs.absolute())) as file:
        try:
            flock(file.fileno(), fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            return Finding(
                what="locks",
                told="this file system has none: a file that names its owner keeps launches apart",
                is_well=False,
                matters=False,
                advice="nothing has to be done; mounted with flock, a killed launch's lock is free at once",
            )
    return Finding(what="locks", told="two launches of a study are kept apart")


def terminal() -> Finding:
    """Whether it shows every script."""
    encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "")
    return Finding(
        what="terminal",
        told=f"{sys.stdout.encoding}, {shutil.get_terminal_size().columns} columns",
        is_well=encoding == "utf8",
        matters=False,
        advice="export LANG=C.UTF-8: tables and texts in other scripts are UTF-8",
    )


def _existing(path: Path) -> Path:
    """The nearest folder above that there is."""
    while not path.is_dir():
        path = path.parent
    return path
