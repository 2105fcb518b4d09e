"""The frame of every command: a mistake becomes one line on stderr and an exit code.

    @command
    def main(arguments: list[str]) -> int: ...

    if __name__ == "__main__":
        sys.exit(main())

`--traceback` shows where it came from.
"""

import argparse
import functools
import os
import signal
import stat
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NoReturn

from hpc.errors import Stopped, UserError, unknown_name
from hpc.interrupted import INTERRUPTED
from hpc.reasons import of_the_machine

_LONGEST = 1500
"""Characters of a message; a longer one is cut."""


class Parser(argparse.ArgumentParser):
    """Argument parser whose complaints are one line, without abbreviated flags, and with `--traceback`."""

    def __init__(self, module: str, description: str, *, epilog: str = "") -> None:
        super().__init__(
            prog=f"python -m {module}",
            description=description,
            epilog=epilog,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.add_argument("--traceback", action="store_true", help="show where an error came from")

    def error(self, message: str) -> NoReturn:
        """Raises what `command` turns into one line."""
        raise UserError(f"{message}; see {self.prog} --help")


def command(main: Callable[[list[str]], int]) -> Callable[..., int]:
    """Wraps a main function: without arguments it takes the process's, and it always returns an exit code."""

    @functools.wraps(main)
    def run(arguments: list[str] | None = None) -> int:
        given = sys.argv[1:] if arguments is None else arguments
        occupy_standard_streams()
        keep_others_out()
        try:
            code = main(given)
            sys.stdout.flush()
        except SystemExit as leaving:
            return leaving.code if isinstance(leaving.code, int) else 0
        except (Exception, KeyboardInterrupt) as error:
            return _answer(error, full="--traceback" in given)
        return code

    return run


def occupy_standard_streams() -> None:
    """Puts the null device where whoever started this process closed its input, output or errors.

    The next file to be opened would take that number, and what libraries print would go into the file.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) < 3:
        os.set_inheritable(number, True)
    os.close(number)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def keep_others_out() -> None:
    """Whatever the umask allows: nothing that this process and its children make may all the world write to.

    What a group may do is the user's own affair.
    """
    os.umask(os.umask(0o077) | stat.S_IWOTH)


def comma_list(text: str) -> list[str]:
    """The type of a flag that takes names separated by commas: each once, in their order.

    Raises:
        argparse.ArgumentTypeError: a name is empty.
    """
    words = [word.strip() for word in text.split(",")]
    if not all(words):
        raise argparse.ArgumentTypeError(f"{text!r}: names separated by commas are expected")
    return list(dict.fromkeys(words))


def dispatch(arguments: list[str], verbs: Mapping[str, Callable[[list[str]], int]], about: str) -> int:
    """Calls the verb that stands first; without one, or for help, prints what the command is about.

    Raises:
        UserError: there is no such verb.
    """
    verb, rest = (arguments[0], arguments[1:]) if arguments else ("--help", [])
    if verb in ("-h", "--help"):
        print(about.strip())
        return 0 if arguments else 2
    if verb not in verbs:
        raise unknown_name("command", verb, verbs)
    return verbs[verb](rest)


def _answer(error: BaseException, *, full: bool) -> int:
    if isinstance(error, BrokenPipeError):
        # Whoever read our output has left; the interpreter must not try to flush into it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    line, code = _explain(error)
    if full:
        traceback.print_exception(error)
    print(f"stilts: {printable(line)}", file=sys.stderr)
    return code


def printable(text: str, *, most: int = _LONGEST) -> str:
    """The text on one line without control characters, its middle left out where it is too long."""
    line = " ".join(text.split())
    shown = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in line)
    return shown if len(shown) <= most else f"{shown[: most - 200]} ... {shown[-195:]}"


def aligned(rows: Sequence[Sequence[str]], *, left: int = 1, indent: str = "") -> Iterator[str]:
    """Rows as columns of plain text, the first `left` of them flush left."""
    from tabulate import tabulate

    sides = ["left" if column < left else "right" for column in range(len(rows[0]))]
    text = tabulate(rows, tablefmt="plain", colalign=sides, disable_numparse=True)
    for line in text.splitlines():
        yield (indent + line).rstrip()


def _explain(error: BaseException) -> tuple[str, int]:
    """The line that says what, where and what to do, and the exit code."""
    if isinstance(error, UserError):
        return str(error), error.code
    if isinstance(error, KeyboardInterrupt):
        signum = error.signum if isinstance(error, Stopped) else signal.SIGINT
        return INTERRUPTED, 128 + signum
    limit = of_the_machine(error)
    if limit is not None:
        return limit, 3 if isinstance(error, ImportError) else 1
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}; --traceback shows where", 1
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.relpath(frame.filename)}:{frame.lineno}"
    return f"{type(error).__name__} at {place}: {error}; --traceback shows the way there", 1
