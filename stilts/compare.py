"""Two runs, evaluations or studies, compared on the examples both answered: `stilts compare A B`."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hpc.command import Parser, command
from hpc.errors import UserError

if TYPE_CHECKING:
    from stilts.report.form import Table


def parser() -> Parser:
    """The command line."""
    made = Parser(
        "stilts.compare",
        "What A answers better or worse than B, paired by example: a folder of a run or an evaluation each, "
        "or of a study, whose runs pair by name.",
        epilog="exit codes: 0 compared, 2 wrong request, 3 nothing in common",
    )
    made.add_argument("first", metavar="A", type=Path, help="a folder with predictions, or with runs")
    made.add_argument("second", metavar="B", type=Path, help="another one")
    made.add_argument(
        "--margin", metavar="POINTS", type=float, default=1.0, help="differences within are equivalent (1)"
    )
    made.add_argument("--json", action="store_true", help="the table for programs")
    return made


@command
def main(arguments: list[str]) -> int:
    """The command line; see `--help`."""
    return work(parser().parse_args(arguments))


def work(asked: argparse.Namespace) -> int:
    """Does what was asked.

    Raises:
        UserError: a folder is not there, or the two have no example in common.
    """
    for folder in (asked.first, asked.second):
        if not folder.is_dir():
            raise UserError(f"{folder} is no folder; give two folders with predictions, or two of runs")
    if not 0 < asked.margin <= 100:
        raise UserError(f"--margin {asked.margin:g}: points between 0 and 100")
    table = _table(asked)
    if asked.json:
        from stilts.report.form import as_json

        print(json.dumps(as_json(table)))
    else:
        from stilts.report import text

        text.show(table)
    return 0


def _table(asked: argparse.Namespace) -> "Table":
    from stilts.report.form import printable
    from stilts.report.versus import versus

    return printable(versus(asked.first, asked.second, margin=asked.margin))


if __name__ == "__main__":
    sys.exit(main())
