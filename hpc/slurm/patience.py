"""Outages of SLURM are waited out, with longer and longer pauses."""

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from hpc.errors import UserError
from hpc.slurm.answers import Passing
from hpc.slurm.settings import SlurmSettings

_T = TypeVar("_T")
_LONGEST_SECONDS = 60.0


def patiently(
    settings: SlurmSettings, ask: Callable[[], _T], recover: Callable[[], _T | None] = lambda: None
) -> _T:
    """Asks SLURM again while it does not answer.

    Args:
        settings: how long.
        ask: raises `Passing` where waiting may help.
        recover: what the question that got no answer has done all the same, if anything.

    Raises:
        UserError: no answer for as long as `outage_minutes`.
    """
    end = time.monotonic() + 60 * settings.outage_minutes
    pause = settings.retry_seconds
    while True:
        try:
            return ask()
        except Passing as outage:
            reason = str(outage)
        while True:
            if time.monotonic() + pause > end:
                raise UserError(
                    f"SLURM has not answered for {settings.outage_minutes:g} minutes ({reason}); "
                    "the same command goes on from what is submitted",
                    code=1,
                )
            print(f"SLURM does not answer ({reason}); again in {pause:.0f} s", file=sys.stderr)
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_SECONDS)
            with suppress(Passing):
                found = recover()
                break
        if found is not None:
            return found
