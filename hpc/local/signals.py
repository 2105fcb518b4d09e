"""Signals as something to select on, so that no handler interrupts the launcher between two of its steps."""

import os
import signal
import threading
from types import FrameType
from typing import Any

STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """While entered, SIGINT, SIGTERM and SIGHUP only make `fileno()` readable and are counted.

    A signal that was ignored, as SIGHUP is under nohup, stays so. Outside the main thread nothing is caught.
    """

    def __init__(self) -> None:
        self.received: list[int] = []
        self._before: dict[int, Any] = {}
        self._wakeup = -1
        self._read, self._write = -1, -1

    def fileno(self) -> int:
        """For select; readable once a signal has come."""
        return self._read

    def drain(self) -> None:
        """Makes `fileno()` quiet again."""
        try:
            while os.read(self._read, 512):
                pass
        except BlockingIOError:
            pass

    def __enter__(self) -> "StopSignals":
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        if threading.current_thread() is threading.main_thread():
            self._wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
            for signum in STOP:
                if signal.getsignal(signum) is not signal.SIG_IGN:
                    self._before[signum] = signal.signal(signum, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for signum, handler in self._before.items():
            signal.signal(signum, handler)
        if self._before:
            signal.set_wakeup_fd(self._wakeup)
        os.close(self._read)
        os.close(self._write)

    def _note(self, signum: int, _: FrameType | None) -> None:
        self.received.append(signum)
