"""What works here and what will not, on one screen: `stilts doctor`."""

import sys
from pathlib import Path

from hpc.command import Parser, command
from stilts.doctor import examine


def parser() -> Parser:
    """The command line."""
    made = Parser(
        "stilts.doctor",
        "Looks at this machine: what works, what will not, and what mends it.",
        epilog="exit codes: 0 a study runs here, 1 something marked BAD is in its way",
    )
    made.add_argument("--runs", type=Path, metavar="FOLDER", default=Path("runs"), help="where runs will lie")
    return made


@command
def main(arguments: list[str]) -> int:
    """The command line; see `--help`."""
    asked = parser().parse_args(arguments)
    found = []
    for finding in examine(asked.runs):
        print(finding, flush=True)
        found.append(finding)
    stopping = [finding.what for finding in found if finding.stops]
    if stopping:
        print(f"mend first: {', '.join(stopping)}")
        return 1
    print("a study runs here: stilts launch --grid all --study tiny   (a minute)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
