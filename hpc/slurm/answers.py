"""What SLURM's commands answer when they fail: nothing yet (`Passing`), no room (`Full`), or no."""

import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr

from hpc.errors import UserError

_PASSING = re.compile(
    r"timed out|temporarily|unable to contact slurm|connection (refused|reset)|try again|munge|"
    r"communication connection failure|zero bytes were transmitted|unexpected message",
    re.IGNORECASE,
)
_FULL = re.compile(r"Submit\w*Limit|MaxSubmit")
KEPT = ("SLURM_CONF",)
_LEAKING = ("SLURM_", "SBATCH_", "SRUN_", "SUBMITIT_", "PMI", "SPANK_")


class Passing(UserError):
    """SLURM did not answer; it may a little later."""


class Full(UserError):
    """The user may have no more jobs for now."""


def refusal(command: str, text: str) -> UserError:
    """The error for a command of SLURM that failed, in one line."""
    lines = [line.removeprefix(f"{command}: ").removeprefix("error: ") for line in text.strip().splitlines()]
    reason = "; ".join(dict.fromkeys(filter(None, lines))) or "no reason given"
    if _FULL.search(reason):
        return Full(reason, code=1)
    if _PASSING.search(reason):
        return Passing(f"{command}: {reason}", code=1)
    return UserError(f"{command} failed: {reason}", code=1)


@contextmanager
def submission(name: str, size: int) -> Iterator[None]:
    """Around submitit's submission: no variables of an outer job, and sbatch's refusals as one line.

    Raises:
        Passing, Full: see there.
        UserError: which runs sbatch will not take, and why.
    """
    from submitit.core.utils import FailedJobError, FailedSubmissionError

    before = dict(os.environ)
    for variable in before.keys() - clean_environment().keys():
        del os.environ[variable]
    try:
        # submitit prints what sbatch complains of, and raises it too.
        with redirect_stderr(io.StringIO()):
            yield
    except (FailedJobError, FailedSubmissionError) as error:
        failure = refusal("sbatch", str(error))
        if not isinstance(failure, (Passing, Full)):
            others = f" (and {size - 1} of the same shape)" if size > 1 else ""
            reason = str(failure).removeprefix("sbatch failed: ")
            raise UserError(
                f"sbatch refuses {name.partition('+')[0]}{others}: {reason}; "
                "see the shapes and [slurm] in the cluster file"
            ) from error
        raise failure from error
    finally:
        os.environ.update(before)


def clean_environment() -> dict[str, str]:
    """The environment without what an outer job left in it, which sbatch and srun would take for options."""
    return {
        name: value for name, value in os.environ.items() if name in KEPT or not name.startswith(_LEAKING)
    }
