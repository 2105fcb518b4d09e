"""Carries out one run by hand: `python -m stilts.run runs/mini/mnli-s1`, or `stilts run ...`."""

import sys
from pathlib import Path

from hpc.command import Parser, command

_CODES = "exit codes: 0 done, 1 failed, 2 wrong request, 3 inputs missing, 130 interrupted"


@command
def main(arguments: list[str]) -> int:
    """The command line; see `--help`."""
    parser = Parser("stilts.run", "Carries out the run in a folder that `launch` wrote.", epilog=_CODES)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="such as runs/mini/mnli-s1")
    asked = parser.parse_args(arguments)
    from stilts.run import stages

    stages.run(str(asked.folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
