"""Ties a process's life to its parent's, so that nothing is left behind when a parent is killed."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def set_signal(parent: int) -> None:
    """Asks the kernel to kill this process when `parent` dies; leaves at once if it has died already.

    Only Linux has this; elsewhere the closed channel to the launcher ends the server, and that its children.
    """
    _set_death_signal(signal.SIGKILL)
    if os.getppid() != parent:
        # The parent died between our birth and the request, which the kernel does not report.
        os._exit(128 + signal.SIGKILL)


def clear_signal() -> None:
    """Takes back `set_signal`: from here on the closed channel tells of the parent's death."""
    _set_death_signal(0)


def raise_oom_score() -> None:
    """When memory runs out, the kernel should take a run, which can be repeated, not the launcher."""
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="utf-8") as file:
            file.write("500")
    except OSError:
        pass


def _set_death_signal(signum: int) -> None:
    if sys.platform != "linux":
        return
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_PR_SET_PDEATHSIG, signum, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
