"""Ctrl-C while a command still imports its parts: nothing else is there yet to answer it."""

import sys
from types import TracebackType

INTERRUPTED = "interrupted; the same command goes on from what is there"


def answer_in_one_line() -> None:
    """Where the program is one of our commands, an interruption that nobody catches is one line on stderr."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    name = spec.name.partition(".")[0] if spec is not None else sys.argv[0].rpartition("/")[2]
    if name in ("hpc", "kernels", "stilts"):
        sys.excepthook = _uncaught


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        print(f"stilts: {INTERRUPTED}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)
