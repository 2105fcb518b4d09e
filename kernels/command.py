"""The frame of the commands here: a mistake becomes one line on stderr and an exit code."""

import functools
import signal
import sys
from collections.abc import Callable, Sequence

Main = Callable[[Sequence[str] | None], int]


class WrongRequest(ValueError):
    """What was asked cannot be done here."""


def command(name: str, *mistakes: type[Exception]) -> Callable[[Main], Main]:
    """Wraps a main function.

    Args:
        name: of the command, before the line.
        mistakes: what is the user's to mend, beside a `WrongRequest`.

    Returns:
        A decorator; exit codes: 2 a mistake, 3 a package that is not installed, 130 Ctrl-C.
    """

    def wrap(main: Main) -> Main:
        @functools.wraps(main)
        def run(arguments: Sequence[str] | None = None) -> int:
            try:
                return main(arguments)
            except ModuleNotFoundError as error:
                package = str(error.name).partition(".")[0]
                if package == "kernels":
                    raise
                said, code = f"the package {package} is not installed in {sys.prefix}", 3
            except (WrongRequest, *mistakes) as error:
                said, code = str(error), 2
            except KeyboardInterrupt:
                said, code = "interrupted", 128 + signal.SIGINT
            print(f"{name}: {said}", file=sys.stderr)
            return code

        return run

    return wrap
