"""Errors that a machine causes, at its limits or without a package, in words that say what helps."""

import errno
import os
import re
import sys

from hpc.errors import UserError

_ADVICE = {
    errno.ENOSPC: "free some space and give the same command again",
    errno.EDQUOT: "your quota is used up: free some space and give the same command again",
    errno.EROFS: "choose a folder that can be written",
    errno.EACCES: "choose a folder that you may use, or ask its owner",
    errno.EFBIG: "files may not become so large here: raise `ulimit -f`, or choose another file system",
    errno.EMFILE: "raise `ulimit -n` and give the same command again",
    errno.ENFILE: "the machine has too many open files: try again, or another machine",
    errno.EIO: "the disk or its network is failing: give the same command again on another machine",
    errno.ESTALE: "the folder lies on a server that was restarted: give the same command again",
    errno.EAGAIN: "there is no more of it for now; for processes raise `ulimit -u`, or run fewer at once",
}
_MEMORY = (
    "there is not enough memory: run fewer at once (workers of the cluster file), in smaller parts "
    "(tokens_per_pass under [zero], tokens_per_batch under [evaluation]), or give it more (memory_gb of the "
    "shape; `ulimit -v`)"
)
# How those say it that do not raise MemoryError: torch's allocators, C++, the system's own words.
_WITHOUT_MEMORY = re.compile(r"can't allocate memory|std::bad_alloc|out of memory|Cannot allocate memory")
_OURS = ("hpc", "kernels", "stilts")
# safetensors and tokenizers tell the system's number in their text.
_SYSTEM = re.compile(r"os error (\d+)|\bcode: (\d+), kind:")


def number_of(error: BaseException) -> int | None:
    """The system's number of an error, also where a library wrote it into a text."""
    if isinstance(error, OSError):
        return error.errno
    found = _SYSTEM.search(str(error))
    if found:
        return int(found[1] or found[2])
    return errno.EAGAIN if str(error) == "can't start new thread" else None


def of_the_machine(error: BaseException) -> str | None:
    """What is wrong with the machine, where, and what helps; None for an error of another kind."""
    if isinstance(error, UserError):
        return None
    if isinstance(error, ImportError):
        return _package(error)
    if isinstance(error, MemoryError) or _WITHOUT_MEMORY.search(str(error)):
        return _MEMORY
    number = number_of(error)
    if number not in _ADVICE:
        return None
    where = getattr(error, "filename", None)
    return f"{f'{where}: ' if where else ''}{os.strerror(number)}; {_ADVICE[number]}"


def _package(error: ImportError) -> str | None:
    """Whose package is not there, or does not fit; None where it is one of this project's own modules."""
    module = error.name or ""
    name = module.partition(".")[0]
    if not name or name in _OURS:
        return None
    is_absent = isinstance(error, ModuleNotFoundError) and module == name
    state = "is not installed" if is_absent else f"cannot be used ({error})"
    return f"the package {name} {state} in {sys.prefix}; `stilts doctor` says what has to be installed"
