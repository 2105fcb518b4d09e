"""What works here and what will not, on one screen: `stilts doctor`."""

import configparser
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from hpc.command import Parser, command
from hpc.errors import UserError
from hpc.finding import Finding

_GB = 2**30
_ROOM_GB = 20
"""Free space below which a study of XLM-R Large will not get far: a model is 2.2 GB, a checkpoint 6.7 GB."""
_HUB_SECONDS = 3.0
_INSTALL = "python -m pip install -c constraints.txt -e . in the folder of stilts"


def parser() -> Parser:
    """The command line."""
    made = Parser(
        "stilts.doctor",
        "Looks at this machine: what works, what will not, and what mends it.",
        epilog="exit codes: 0 a study runs here, 1 something marked BAD is in its way",
    )
    made.add_argument("--runs", type=Path, metavar="FOLDER", default=Path("runs"), help="where runs will lie")
    return made


@command
def main(arguments: list[str]) -> int:
    """The command line; see `--help`."""
    asked = parser().parse_args(arguments)
    found = []
    for finding in examine(asked.runs):
        print(finding, flush=True)
        found.append(finding)
    stopping = [finding.what for finding in found if finding.stops]
    if stopping:
        print(f"mend first: {', '.join(stopping)}")
        return 1
    print("a study runs here: stilts launch --grid all --study tiny   (a minute)")
    return 0


def examine(runs: Path) -> Iterator[Finding]:
    """Everything that is looked at, in the order in which it matters."""
    yield Finding(
        what="Python",
        told=f"{sys.version.split()[0]}, {sys.executable}",
        is_well=sys.version_info >= (3, 11),
        advice="install Python 3.11 or newer, and make the environment with it",
    )
    looks: dict[str, Callable[[], Finding]] = {
        "packages": _packages,
        "GPU": _device,
        "compiler": _compiler,
        "SLURM": _slurm,
        "Hub": _hub,
        "data": _data,
        "disk": partial(_room, runs),
        "locks": partial(_locks, runs),
        "terminal": _terminal,
    }
    for what, look in looks.items():
        try:
            yield look()
        except Exception as error:  # a broken package may raise anything; the rest is looked at all the same
            yield Finding(what=what, told=f"not looked at: {error}", is_well=False, advice=_INSTALL)


def _requirements() -> list[str]:
    """What this package needs: as it was installed, or as its checkout says; else nothing."""
    try:
        return requires("stilts") or []
    except PackageNotFoundError:
        about = configparser.ConfigParser()
        about.read(Path(__file__).parents[1] / "setup.cfg", encoding="utf-8")
        lines = about.get("options", "install_requires", fallback="").splitlines()
        return [line for line in lines if line]


def _packages() -> Finding:
    """Versions of what is needed, held against what this package asks for."""
    from packaging.requirements import Requirement

    needs = [Requirement(line) for line in _requirements()]
    if not needs:
        return Finding(
            what="packages",
            told="not looked at: stilts was not installed, and no setup.cfg beside it says what it needs",
            is_well=False,
            matters=False,
            advice=_INSTALL,
        )
    shown, wrong = [], []
    for need in needs:
        if need.marker is not None and not need.marker.evaluate({"extra": ""}):
            continue
        try:
            there = version(need.name)
        except PackageNotFoundError:
            wrong.append(f"{need.name} is missing")
            continue
        if not need.specifier.contains(there, prereleases=True):
            wrong.append(f"{need.name} {there} is there, {need.specifier} is needed")
        elif need.name in ("torch", "triton", "deepspeed", "transformers"):
            shown.append(f"{need.name} {there}")
    return Finding(
        what="packages",
        told="; ".join(wrong) or ", ".join(shown),
        is_well=not wrong,
        advice=_INSTALL,
    )


def _device() -> Finding:
    """The GPUs that torch sees, and those that it does not."""
    import torch

    count = torch.cuda.device_count()
    driver = any(Path(name).exists() for name in ("/dev/nvidiactl", "/dev/kfd"))
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


def _compiler() -> Finding:
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


def _slurm() -> Finding:
    """Whether a cluster answers, and how large it is."""
    if shutil.which("sinfo") is None:
        return Finding(
            what="SLURM",
            told="not here: runs are started on this machine alone",
            is_well=False,
            matters=False,
            advice="on a cluster's login node: stilts launch --grid all --cluster NAME (see slurm/)",
        )
    from hpc.slurm.answers import Passing
    from hpc.slurm.machines import machines

    problem, nodes = "sinfo knows no nodes", []
    with suppress(UserError):
        try:
            nodes = machines()
        except Passing as error:
            problem = f"sinfo does not answer: {error}"
    if not nodes:
        return Finding(
            what="SLURM",
            told=problem,
            is_well=False,
            matters=False,
            advice="try again, or ask the cluster's people",
        )
    told = []
    for partition in sorted({node.partition for node in nodes}):
        those = [node for node in nodes if node.partition == partition]
        told.append(f"{partition} ({len(those)} nodes, {sum(node.gpus for node in those)} GPUs)")
    more = f" and {len(told) - 4} more" if len(told) > 4 else ""
    return Finding(what="SLURM", told=", ".join(told[:4]) + more)


def _hub() -> Finding:
    """Whether the model hub answers within a few seconds."""
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        told = "left alone: HF_HUB_OFFLINE is set"
    else:
        try:
            with suppress(HTTPError):  # an answer, too
                urlopen(Request(constants.ENDPOINT, method="HEAD"), timeout=_HUB_SECONDS).close()
        except (OSError, ValueError) as error:
            told = f"{constants.ENDPOINT} does not answer: {getattr(error, 'reason', error)}"
        else:
            return Finding(what="Hub", told=f"{constants.ENDPOINT} answers")
    return Finding(
        what="Hub",
        told=told,
        is_well=False,
        matters=False,
        advice="where it does: stilts data stage --study NAME --output FOLDER; carry the folder here",
    )


def _data() -> Finding:
    """The folder of original or staged files."""
    from stilts.data.sources.folder import ROOT, root

    if root().is_dir():
        tasks = sorted(path.name for path in root().iterdir() if path.is_dir() and path.name[:1] != ".")
        return Finding(what="data", told=f"{root()} holds {len(tasks)} folders")
    return Finding(
        what="data",
        told=f"no folder {root()} ({ROOT}): tiny and mini bring their own",
        is_well=False,
        matters=False,
        advice=f"for other studies: stilts data stage, then export {ROOT}=FOLDER, then stilts data check",
    )


def _room(runs: Path) -> Finding:
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


def _locks(runs: Path) -> Finding:
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


def _terminal() -> Finding:
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


if __name__ == "__main__":
    sys.exit(main())
