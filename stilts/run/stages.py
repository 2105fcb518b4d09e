"""Runs one stage in its folder: `run(folder)` in a job, `stilts run FOLDER` by hand.

A stage reads the run's specification and its parents' folders and writes its own; `done.json` comes last.
Whatever happens in between, the same call goes on from what is there.
"""

import importlib
import os
import traceback
from contextlib import nullcontext
from pathlib import Path

from hpc import ranks
from hpc.command import keep_others_out
from hpc.errors import UserError
from hpc.files import append_json_line, is_there, sweep, write_json_once
from hpc.reasons import of_the_machine
from hpc.slurm.queue import note_attempt, own_job
from hpc.usage import Usage, measured
from stilts.run import data_log, ledger, outputs
from stilts.run.folder import RunFolder
from stilts.run.provenance import describe, refuse_other_code
from stilts.run.specs import RunSpec, stages

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
    "sklearn.feature_extraction",
    "sklearn.linear_model",
    "stilts.evaluate.stage",
    *(stage.entry.partition(":")[0] for stage in stages().values()),
)


_PATIENCE_IN_SLURM = 900.0


def run(folder: str) -> None:
    """Carries out the run in `folder`; returns at once when it is done already.

    Raises:
        UserError: the folder holds no run, a parent is not done, or another process works on it.
        Exception: whatever the stage raised, after `failed.json` was written.
    """
    keep_others_out()
    here = RunFolder(Path(folder).resolve())
    spec = here.read_spec()
    # The other ranks of a job work under the lock that the first one holds.
    place = ranks.setup()
    first = place.first
    if place.world_size > 1 and not spec.asked.is_distributed:
        raise UserError(f"{spec.id} is one process, but {place.world_size} ranks were started for it")
    with here.locked(patience=_patience()) if first else nullcontext():
        if is_there(here.done):
            if not here.damage():
                return
            if first:
                outputs.clear(here.path)
        if first:
            sweep(here.path)
            note_attempt(here.submit)
            append_json_line(here.provenance, describe())
            here.failed.unlink(missing_ok=True)
        with ledger.keeping(here.attempts, ranks=place.world_size, writes=first):
            with data_log.reading_into(here.data, writes=first):
                usage = _carry_out(here, spec)
            if first:
                outputs.write_done(here.path, spec.fingerprint, usage)


def _patience() -> float:
    """Seconds to wait for another process that works on the run.

    In SLURM that is an attempt whose node is lost but not dead yet, or one submitted by hand: this one waits
    instead of failing, which would cancel all that need it.
    """
    return _PATIENCE_IN_SLURM if own_job() else 0.5


def _check_parent(run_id: str, parent: RunFolder) -> None:
    """A run starts from whole weights only: their contents are read once more.

    Raises:
        UserError: the parent is not done, or what it wrote is not what it wrote.
    """
    if not is_there(parent.done):
        raise UserError(f"{run_id} needs {parent.id}, which is not done", code=3)
    reason = parent.damage(contents=("weights",))
    if reason:
        raise UserError(
            f"{run_id} needs {parent.id}, which is damaged ({reason}): launch again, which does it anew",
            code=3,
        )


def _carry_out(here: RunFolder, spec: RunSpec) -> Usage:
    module, _, name = spec.asked.entry.partition(":")
    try:
        for need in spec.needs:
            _check_parent(spec.id, here.sibling(need))
        # What a training phase does not name is start-up; it names the rest itself.
        kind: ledger.Kind = "start-up" if spec.asked.is_training else "work"
        refuse_other_code(os.environ)
        with measured() as meter, ledger.spending(kind):
            getattr(importlib.import_module(module), name)(here, spec, spec.asked)
    except Exception as error:
        reason = str(error) or type(error).__name__
        if not isinstance(error, UserError):
            reason = of_the_machine(error) or f"{type(error).__name__}: {reason}"
        code = error.code if isinstance(error, UserError) else 1
        place = ranks.setup()
        told = {"error": reason.splitlines()[0], "code": code, "traceback": traceback.format_exc()}
        # Of several ranks the first to fail has the cause; the others only lose touch with it.
        write_json_once(here.failed, told | ({"rank": place.rank} if place.world_size > 1 else {}))
        raise
    return meter.usage
