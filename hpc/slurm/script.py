"""What a job asks SLURM for, and the lines that its batch script begins with."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hpc.jobs import Shape
from hpc.slurm.settings import SlurmSettings

_ROOT = Path(__file__).resolve().parents[2]


def parameters(shape: Shape, settings: SlurmSettings, environment: Mapping[str, str]) -> dict[str, Any]:
    """submitit's parameters for a job of this shape."""
    given = {
        "partition": shape.partition or settings.partition,
        "account": shape.account or settings.account,
        "qos": shape.qos or settings.qos,
        "constraint": shape.constraint or settings.constraint,
        "gpus_per_node": 0 if shape.gres else shape.gpus_per_node,
        "exclusive": shape.exclusive,
    }
    return {name: value for name, value in given.items() if value} | {
        "nodes": shape.nodes,
        "ntasks_per_node": shape.tasks_per_node,
        "cpus_per_task": shape.cpus_per_task,
        "mem": f"{round(shape.memory_gb * 1024)}MB",
        "time": shape.minutes,
        "signal_delay_s": settings.signal_lead_seconds,
        "array_parallelism": settings.array_parallelism,
        "stderr_to_stdout": True,
        "wckey": None,
        "setup": [*_first_lines(environment), *settings.setup, *shape.setup],
        # A rank that dies takes the others along, instead of leaving them in a collective.
        "srun_args": ["--kill-on-bad-exit=1", "--wait=60", *settings.srun],
        "additional_parameters": _options(shape, settings),
    }


def interpreter(settings: SlurmSettings) -> str:
    """What runs a job's Python, as a shell reads it."""
    # The signal that tells a job to save may come before Python can take it: until then it is ignored.
    shielded = ["sh", "-c", 'trap "" USR2; exec "$@"', "sh"]
    return shlex.join([*shielded, *shlex.split(settings.prefix), settings.python or sys.executable])


def _options(shape: Shape, settings: SlurmSettings) -> dict[str, str | int | bool]:
    """What submitit has no name for; an option that is `false` is not given at all."""
    options: dict[str, str | int | bool] = {"requeue": True, "kill-on-invalid-dep": "yes"}
    options |= {"gres": shape.gres} if shape.gres else {}
    options |= settings.extra | shape.extra
    return {name: value for name, value in options.items() if value is not False}


def _first_lines(environment: Mapping[str, str]) -> list[str]:
    lines = [
        # A module that is not there ends the job; it does not go on without it.
        "set -eo pipefail",
        "export SLURM_EXPORT_ENV=ALL",
        "export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK",
        # A rank computes on its own CPUs, not on all that the node has.
        "export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}",
        *(f"export {name}={shlex.quote(value)}" for name, value in environment.items()),
    ]
    if "site-packages" not in _ROOT.parts:
        lines.append(f"export PYTHONPATH={shlex.quote(str(_ROOT))}${{PYTHONPATH:+:$PYTHONPATH}}")
    return lines
