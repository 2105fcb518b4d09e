"""Data sets of a study: fetched for machines without internet, checked, counted.

    stilts data stage --study NAME --output FOLDER   what the study reads from the Hub, into a folder
    stilts data check --study NAME                   every set, held against what it promises
    stilts data stats --study NAME                   examples, words, subwords, lengths by language

Each has a --help of its own.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from hpc.command import Parser, comma_list, command, dispatch
from hpc.errors import UserError

FORMATS = ("markdown", "csv", "json")
_CODES = "exit codes: 0 all well, 1 something is wrong, 2 wrong request, 3 something is missing"


@command
def main(arguments: list[str]) -> int:
    """The command line; see `--help`."""
    return dispatch(arguments, VERBS, __doc__)


def stage_parser() -> Parser:
    """The flags of `stage`."""
    parser = _parser("stage", "Fetches what a study reads from the Hub; the same call goes on after a stop.")
    parser.add_argument("--output", type=Path, metavar="FOLDER", required=True, help="later STILTS_DATA")
    parser.add_argument("--tasks", type=comma_list, metavar="LIST", help="such as xnli,xquad (the study's)")
    parser.add_argument(
        "--model", choices=("fetch", "skip"), default="fetch", help="the pretrained model as well (fetch)"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="show what there is to fetch and fetch nothing"
    )
    return parser


def check_parser() -> Parser:
    """The flags of `check`."""
    parser = _parser("check", "Reads every set of a study and holds it against what it promises.")
    parser.add_argument("--sources", type=comma_list, metavar="LIST", help="such as folder,hub (the study's)")
    parser.add_argument("--tasks", type=comma_list, metavar="LIST", help="such as xnli,xquad (the study's)")
    parser.add_argument("--languages", type=comma_list, metavar="LIST", help="such as en,sw (the study's)")
    parser.add_argument(
        "--extent",
        choices=("whole", "sample"),
        help="sample: sizes and missing languages do not count (what the folder's manifest says, else whole)",
    )
    return parser


def stats_parser() -> Parser:
    """The flags of `stats`."""
    parser = _parser("stats", "Examples, words, subwords and lengths by task and language.")
    parser.add_argument("--sources", type=comma_list, metavar="LIST", help="such as folder,hub (the study's)")
    parser.add_argument("--tasks", type=comma_list, metavar="LIST", help="such as xnli,xquad (the study's)")
    parser.add_argument("--languages", type=comma_list, metavar="LIST", help="such as en,sw (the study's)")
    parser.add_argument("--split", metavar="NAME", help="train, dev or test (all)")
    parser.add_argument(
        "--tokenizer", type=Path, metavar="FILE", help="a tokenizer.json (the study's model's)"
    )
    parser.add_argument("--format", choices=FORMATS, default="markdown", help="of the table (markdown)")
    parser.add_argument("--figure", type=Path, metavar="FILE", help="a PDF to draw, with a PNG beside it")
    return parser


def _parser(verb: str, what: str) -> Parser:
    parser = Parser(f"stilts data {verb}", what, epilog=_CODES)
    parser.add_argument("--study", metavar="NAME", required=True, help="name, or path of a TOML file")
    return parser


def _stage(arguments: list[str]) -> int:
    asked = stage_parser().parse_args(arguments)
    from stilts.corpora.commands import stage

    return stage(asked)


def _check(arguments: list[str]) -> int:
    asked = check_parser().parse_args(arguments)
    from stilts.corpora.commands import check

    return check(asked)


def _stats(arguments: list[str]) -> int:
    asked = stats_parser().parse_args(arguments)
    if asked.figure is not None and asked.figure.suffix != ".pdf":
        raise UserError(f"--figure {asked.figure}: a name that ends in .pdf")
    from stilts.corpora import lengths
    from stilts.corpora.commands import stats

    study, found = stats(asked)
    lengths.show(study, found, form=asked.format)
    if asked.figure is not None:
        lengths.draw(study, found, asked.figure)
    return 0


VERBS: Mapping[str, Callable[[list[str]], int]] = {"stage": _stage, "check": _check, "stats": _stats}

if __name__ == "__main__":
    sys.exit(main())
