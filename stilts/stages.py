"""Runs one stage in its folder: `python -m stilts.stages runs/mini/mnli-s1`, or `run(folder)` in a job.

A stage reads the run's specification and its parents' folders and writes its own; `done.json` comes last.
Whatever happens in between, the same call goes on from what is there.
"""

import importlib
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

from hpc import ranks
from hpc.usage import Usage, measured
from stilts.errors import Problem
from stilts.files import append_json_line, write_json
from stilts.provenance import describe
from stilts.runs import RunFolder, RunSpec

# Where each kind of run is carried out: module and function, imported when it is needed.
STAGES: Mapping[str, str] = {
    "prepare": "stilts.prepare:prepare",
    "train": "stilts.train:train",
    "evaluate": "stilts.evaluate:evaluate",
    "baseline": "stilts.baselines:run",
    "latency": "stilts.latency:measure",
}

# What a fork server loads once, so that no run pays for it: the stages, and what they import when first used.
PRELOAD = (
    "torch",
    "deepspeed",
    "deepspeed.ops",
    "torch._dynamo",
    "datasets",
    "datasets.formatting.np_formatter",
    "tokenizers",
    "safetensors.torch",
    "torch.utils.cpp_extension",
    "seqeval.metrics",
    "sklearn.feature_extraction",
    "sklearn.linear_model",
    "stilts.evaluate.stage",
    *(place.partition(":")[0] for place in STAGES.values()),
)


def run(folder: str) -> None:
    """Carries out the run in `folder`; returns at once when it is done already.

    Raises:
        Problem: the folder holds no run, a parent is not done, or another process works on it.
        Exception: whatever the stage raised, after `failed.json` was written.
    """
    here = RunFolder(Path(folder).resolve())
    spec = here.read_spec()
    # The other ranks of a job work under the lock that the first one holds.
    first = ranks.setup().first
    with here.locked() if first else nullcontext():
        if here.done.exists():
            return
        for need in spec.needs:
            if not here.sibling(need).done.exists():
                raise Problem(f"{spec.id} needs {need}, which is not done", code=3)
        if first:
            append_json_line(here.provenance, describe())
            here.failed.unlink(missing_ok=True)
        usage = _carry_out(here, spec)
        if first:
            write_json(here.done, _ending(usage) | {"fingerprint": spec.fingerprint})


def _carry_out(here: RunFolder, spec: RunSpec) -> Usage:
    module, _, name = STAGES[spec.kind].partition(":")
    try:
        with measured() as meter:
            getattr(importlib.import_module(module), name)(here, spec)
    except Exception as error:
        reason = str(error) or type(error).__name__
        if not isinstance(error, Problem):
            reason = f"{type(error).__name__}: {reason}"
        code = error.code if isinstance(error, Problem) else 1
        told = {"error": reason.splitlines()[0], "code": code, "traceback": traceback.format_exc()}
        write_json(here.failed, told)
        raise
    return meter.usage


def _ending(usage: Usage) -> dict[str, float | int | None]:
    return {
        "finished_unix": time.time(),
        "seconds": usage.seconds,
        "cpu_seconds": usage.cpu_seconds,
        "peak_rss": usage.peak_rss,
        "gpu_peak": usage.gpu_peak,
        "energy_j": usage.energy_j,
    }


def main(arguments: list[str]) -> int:
    """The command line: one run folder; exit code 0 done, 1 failed, 2 wrong request, 3 inputs missing."""
    if len(arguments) != 1 or arguments[0] in ("-h", "--help"):
        print(__doc__.strip(), file=sys.stderr if len(arguments) != 1 else sys.stdout)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    try:
        run(arguments[0])
    except Problem as problem:
        print(f"stilts: {problem}", file=sys.stderr)
        return problem.code
    except KeyboardInterrupt:
        print("stilts: interrupted; the same command goes on from the last checkpoint", file=sys.stderr)
        return 128 + signal.SIGINT
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
