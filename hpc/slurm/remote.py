"""What a SLURM job unpickles: a call by name, requeued as it is upon a time limit or a preemption."""

from dataclasses import dataclass
from typing import Any

from hpc.jobs import Call


@dataclass(frozen=True)
class RemoteCall:
    """Carries a `Call` to the job. After a requeue the same call is made, which resumes from its files."""

    call: Call

    def __call__(self) -> None:
        """Makes the call, in every rank."""
        self.call.run()

    def checkpoint(self) -> Any:
        """What submitit puts back into the queue. It looks for a method of exactly this name."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)
