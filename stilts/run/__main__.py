"""Carries out one run by hand: `python -m stilts.run runs/mini/mnli-s1`, or `stilts run ...`."""

import os
from pathlib import Path

from hpc.cluster import load_cluster
from hpc.command import Parser, command
from hpc.ending import Ending

_CODES = "exit codes: 0 done, 1 failed, 2 wrong request, 3 inputs missing, 130 interrupted"


@command
def main(arguments: list[str]) -> int:
    """The command line; see `--help`."""
    parser = Parser("stilts.run", "Carries out the run in a folder that `launch` wrote.", epilog=_CODES)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="such as runs/mini/mnli-s1")
    parser.add_argument("--cluster", metavar="NAME", help="whose [environment] the run gets")
    asked = parser.parse_args(arguments)
    if asked.cluster is not None:
        # Before anything is imported that reads it.
        os.environ.update(load_cluster(asked.cluster).environment)
    from stilts.run import stages

    stages.run(str(asked.folder))
    return 0


if __name__ == "__main__":
    ending = Ending()
    ending.code = main()
