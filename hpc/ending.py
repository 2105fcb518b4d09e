"""The end of a process that ran native threads: `Ending` skips what the interpreter takes down with itself.

gloo's and autograd's threads outlive `main`. One that wants the interpreter while it is being taken down
aborts the process now and then ("terminate called without an active exception"), and a run that is done
counts as failed.
"""

import atexit
import os
import sys
from contextlib import suppress
from typing import NoReturn


class Ending:
    """Ends the process after all its other exit functions, once `code` is known. Make it first of all."""

    def __init__(self) -> None:
        self.code: int | None = None
        """The exit code; while it is None the process ends as Python would end it."""
        # What is registered first is called last.
        atexit.register(self._leave)

    def _leave(self) -> None:
        if self.code is not None:
            leave(self.code)


def leave(code: int) -> NoReturn:
    """Ends the process here: no exit functions, nothing taken down."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)
