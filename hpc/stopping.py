"""Stops all ranks of a run at the same step, when a signal asks for it, so that they can save together.

    with StopRequest() as stop:
        for step in steps:
            ...
            if stop.agreed() != "go on":
                save()              # collective: every rank
                stop.leave()

SLURM signals every rank before a time limit or a preemption, but submitit lets rank 0 alone save and
requeue, while saving sharded training state takes all ranks. So the signals only leave a note here, the ranks
compare notes at each step, save together, and only then rank 0 hands over to submitit. SIGTERM comes with
scancel too: nothing is requeued upon it, and nobody leaves, since SLURM itself requeues a preempted job and a
cancelled one shall stay so. Without SLURM the run ends once it has saved.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Literal, NoReturn

from hpc import collective
from hpc.errors import Stopped

Decision = Literal["go on", "requeue", "end"]

_DECISIONS: tuple[Decision, ...] = ("go on", "requeue", "end")
_PATIENCE_SECONDS = 600.0


class StopRequest:
    """While entered, SIGTERM, and in a SLURM job SIGUSR2, are noted instead of acted upon."""

    def __init__(self) -> None:
        self._note = 0
        self._in_slurm = "SLURM_JOB_ID" in os.environ
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopRequest":
        notes = {signal.SIGUSR2: 1, signal.SIGTERM: 2} if self._in_slurm else {signal.SIGTERM: 2}
        for signum, note in notes.items():
            self._before[signum] = signal.signal(signum, self._noting(note))
        return self

    def __exit__(self, *_: object) -> None:
        for signum, handler in self._before.items():
            signal.signal(signum, handler)

    @property
    def is_asked(self) -> bool:
        """Whether this process was asked to stop; others may not know of it yet."""
        return self._note > 0

    def agreed(self) -> Decision:
        """What the ranks do after this step; collective, and the same answer in all of them."""
        return _DECISIONS[collective.largest(self._note)]

    def leave(self) -> NoReturn:
        """Ends this process the way the signal asks for; all ranks have saved. Does not return.

        Raises:
            Stopped: outside SLURM.
        """
        note = collective.largest(self._note)
        collective.barrier()
        if not self._in_slurm:
            raise Stopped(signal.SIGTERM)
        handler = self._before.get(signal.SIGUSR2)
        if note == 1 and collective.rank() == 0 and callable(handler):
            # submitit's: pickles the call anew, counts time limits, requeues, exits.
            handler(signal.SIGUSR2, None)
        time.sleep(_PATIENCE_SECONDS)
        sys.exit(128 + signal.SIGTERM)

    def _noting(self, note: int) -> Callable[[int, FrameType | None], None]:
        def handler(_: int, __: FrameType | None) -> None:
            self._note = max(self._note, note)

        return handler


def shield_worker(_: int = 0) -> None:
    """For `worker_init_fn` of a DataLoader: its processes get the signals too and must not act on them."""
    for signum in (signal.SIGUSR2, signal.SIGTERM):
        signal.signal(signum, signal.SIG_IGN)
