"""What a run's numbers came from: code, versions, machine. One line an attempt in `provenance.jsonl`."""

import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from hpc.errors import UserError
from hpc.files import files_below

PACKAGES = (
    "stilts",
    "torch",
    "triton",
    "transformers",
    "tokenizers",
    "datasets",
    "deepspeed",
    "submitit",
    "pyarrow",
    "numpy",
)


def describe() -> dict[str, Any]:
    """Facts about this process, as JSON."""
    return {
        "unix": time.time(),
        "pid": os.getpid(),
        "argv": sys.argv,
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
        "git": git_state(Path(__file__).resolve().parent),
        "code": code_digest(),
        "host": socket.gethostname(),
        "cpu": processor_name(),
        "cpus": len(os.sched_getaffinity(0)),
        "threads": os.environ.get("OMP_NUM_THREADS", ""),
        "slurm": {name: value for name, value in os.environ.items() if name in _SLURM},
        **_gpus(),
    }


def git_state(folder: Path) -> dict[str, str]:
    """Commit and, where files differ from it, a hash of the difference, which may be unknown; empty outside a
    checkout.

    A repository that holds the folder but does not track its files is somebody else's: the package was
    installed below it.
    """
    if not _git(folder, "ls-files", "--error-unmatch", "--", "*.py"):
        return {}
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return {}
    difference = _git(folder, "diff", "HEAD")
    if difference is None:
        return {"sha": commit, "diff": "unknown"}
    return {"sha": commit, "diff": sha256(difference.encode()).hexdigest() if difference else ""}


@cache
def code_version() -> str:
    """This program's version, with the commit and a mark of changes where it runs from a checkout."""
    git = git_state(Path(__file__).resolve().parent)
    commit = f"+{git['sha'][:12]}" if git else ""
    return f"{_version('stilts')}{commit}" + (f".{git['diff'][:8]}" if git.get("diff") else "")


CODE_VARIABLE = "STILTS_CODE"
"""Holds, in a job, the digest of the code that launched it."""


@cache
def code_digest() -> str:
    """A digest of the files that compute: the three packages' code and tables."""
    root = Path(__file__).resolve().parents[2]
    found = sha256()
    for package in ("hpc", "kernels", "stilts"):
        for path in files_below(root / package):
            if path.suffix in (".py", ".toml"):
                found.update(f"{path.relative_to(root)}\n".encode() + path.read_bytes())
    return found.hexdigest()[:16]


def refuse_other_code(environment: Mapping[str, str]) -> None:
    """Refuses to go on with a job under code that changed since it was launched.

    Raises:
        UserError: it has.
    """
    launched = environment.get(CODE_VARIABLE)
    if launched and launched != code_digest():
        raise UserError(
            f"the code has changed since this job was launched ({launched}, now {code_digest()}): "
            "launch again, which submits it with the code as it is",
            code=1,
        )


_SLURM = (
    CODE_VARIABLE,
    "SLURM_JOB_ID",
    "SLURM_ARRAY_TASK_ID",
    "SLURM_RESTART_COUNT",
    "SLURM_JOB_NODELIST",
    "SLURMD_NODENAME",
)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says; None where it fails, is not there, or takes too long."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            encoding="utf-8",
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


@cache
def processor_name() -> str:
    """As the processor calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")


def _gpus() -> dict[str, Any]:
    """GPU names where torch is loaded already and sees any; never imports it."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return {}
    return {
        "gpus": [torch.cuda.get_device_name(device) for device in range(torch.cuda.device_count())],
        "cuda": torch.version.cuda,
    }
