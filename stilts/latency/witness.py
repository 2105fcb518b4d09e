"""What is seen of a call from within the process: kernels made ready, waits for a processor, page faults."""

import os
import resource
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from kernels.compiled import kernels_compiled


class Witness:
    """Sees what happens between `begin` and `end`.

    Args:
        captured: tells how many CUDA graphs have been captured so far.
    """

    def __init__(self, captured: Callable[[], int] = lambda: 0) -> None:
        self._captured = captured
        self._threads = _Threads()
        # The first look loads what it looks at: not within a call.
        self.begin()

    def begin(self) -> None:
        """Just before the call."""
        self._ready = kernels_compiled() + self._captured()
        self._faults = resource.getrusage(resource.RUSAGE_SELF).ru_majflt
        self._waited = self._threads.waited_ns()

    def end(self) -> dict[str, Any]:
        """Just after it.

        Returns:
            `waited_ns`: time in which a thread of ours was ready and had no processor, None where the kernel
            does not tell; `major_faults`: pages that came from disk; `n_compiles`: kernels and graphs that
            were made ready.
        """
        waited = self._threads.waited_ns()
        return {
            "waited_ns": None if waited is None or self._waited is None else max(0, waited - self._waited),
            "major_faults": resource.getrusage(resource.RUSAGE_SELF).ru_majflt - self._faults,
            "n_compiles": min(kernels_compiled() + self._captured() - self._ready, 127),
        }


class _Threads:
    """The threads of this process, by the files in which the kernel counts their waits."""

    def __init__(self) -> None:
        self._files: dict[str, int] = {}

    def __del__(self) -> None:
        for file in self._files.values():
            with suppress(OSError):
                os.close(file)

    def waited_ns(self) -> int | None:
        """Nanoseconds that they were ready and had no processor, so far."""
        try:
            names = os.listdir("/proc/self/task")
            for name in set(names) - self._files.keys():
                self._files[name] = os.open(f"/proc/self/task/{name}/schedstat", os.O_RDONLY)
        except OSError:
            return None
        total = 0
        for file in self._files.values():
            # A thread that has ended took its count with it.
            with suppress(OSError, IndexError):
                total += int(os.pread(file, 64, 0).split()[1])
        return total
