"""Has the system refuse a path to this thread as it does to other people, though tests may run as root."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_VERSION = 0x20080522  # _LINUX_CAPABILITY_VERSION_3
_OVERRIDES = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def withheld(path: Path) -> Iterator[None]:
    """Nobody may read or list `path`; threads that are started meanwhile may not either."""
    mode = path.stat().st_mode
    before = _capabilities()
    after = (ctypes.c_uint32 * 6)(*before)
    after[0] &= ~_OVERRIDES
    path.chmod(0)
    _set(after)
    try:
        assert not os.access(path, os.R_OK, effective_ids=True)
        yield
    finally:
        _set(before)
        path.chmod(mode)


def _capabilities() -> "ctypes.Array[ctypes.c_uint32]":
    """Effective, permitted and inheritable of this thread, twice."""
    data = (ctypes.c_uint32 * 6)()
    if _libc.capget((ctypes.c_uint32 * 2)(_VERSION, 0), data):
        raise OSError(ctypes.get_errno(), "capget")
    return data


def _set(data: "ctypes.Array[ctypes.c_uint32]") -> None:
    if _libc.capset((ctypes.c_uint32 * 2)(_VERSION, 0), data):
        raise OSError(ctypes.get_errno(), "capset")
