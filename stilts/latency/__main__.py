"""Measures how long models take, on this machine, and says whether it can.

    python -m stilts.latency run --study mini
    python -m stilts.latency doctor
    python -m stilts.latency selftest
    python -m stilts.latency compact --study mini --output FOLDER
    python -m stilts.latency lengths --tasks xquad,udpos --languages en,de --tokenizer FILE --output FILE

`run` times a study's models here, in fresh processes, without a launcher; `doctor` looks at the machine;
`selftest` times a model against itself and against a slower one; `compact` writes the raw timings as Parquet;
`lengths` counts the tokens of a task's queries. Each has a --help of its own.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from hpc.command import Parser, comma_list, command, dispatch

_CODES = "exit codes: 0 all well, 1 it cannot measure or something failed, 2 wrong request, 3 inputs missing"


@command
def main(arguments: list[str]) -> int:
    """The command line; see `--help`."""
    return dispatch(arguments, VERBS, __doc__)


def _run(arguments: list[str]) -> int:
    purpose = "Times the models of a study on this machine, one fresh process after the other."
    parser = Parser("stilts.latency run", purpose, epilog=_CODES)
    _study(parser)
    parser.add_argument("--dry-run", action="store_true", help="show the processes and time nothing")
    asked = parser.parse_args(arguments)
    from stilts.latency.run import run

    return run(asked.study, asked.runs, is_dry=asked.dry_run)


def _doctor(arguments: list[str]) -> int:
    parser = Parser("stilts.latency doctor", "Says whether this machine can measure.", epilog=_CODES)
    parser.parse_args(arguments)
    from stilts.latency.doctor import report

    return report()


def _selftest(arguments: list[str]) -> int:
    purpose = "Times a model against itself, and against one that is made 5 % slower."
    parser = Parser("stilts.latency selftest", purpose, epilog=_CODES)
    parser.add_argument("--repetitions", type=_count, default=1, metavar="N", help="how often it is done (1)")
    asked = parser.parse_args(arguments)
    from stilts.latency.selftest import selftest

    return selftest(asked.repetitions)


def _compact(arguments: list[str]) -> int:
    purpose = "Writes the raw records of a study's timings as Parquet, for an archive."
    parser = Parser("stilts.latency compact", purpose, epilog=_CODES)
    _study(parser)
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="the folder to write")
    asked = parser.parse_args(arguments)
    from stilts.latency.compact import compact

    return compact(asked.study, asked.runs, asked.output)


def _lengths(arguments: list[str]) -> int:
    purpose = "Counts the tokens of queries from all over the sets of tasks; no text is kept."
    parser = Parser("stilts.latency lengths", purpose, epilog=_CODES)
    add = parser.add_argument
    add("--tasks", type=comma_list, required=True, metavar="LIST", help="such as xquad,udpos")
    add("--languages", type=comma_list, required=True, metavar="LIST", help="such as en,de")
    add("--tokenizer", type=Path, required=True, metavar="FILE", help="a tokenizer.json")
    add("--sources", type=comma_list, default=["folder"], metavar="LIST", help="where data are (folder)")
    add("--limit", type=_count, default=200, metavar="N", help="queries of each set (200)")
    add("--output", type=Path, required=True, metavar="FILE", help="the file to write")
    asked = parser.parse_args(arguments)
    from stilts.latency.counting import write_lengths

    return write_lengths(
        asked.tasks, asked.languages, asked.tokenizer, asked.sources, asked.limit, asked.output
    )


def _study(parser: Parser) -> None:
    parser.add_argument("--study", default="mini", metavar="NAME", help="a study, by name or path (mini)")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="FOLDER", help="(runs)")


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


VERBS: Mapping[str, Callable[[list[str]], int]] = {
    "run": _run,
    "doctor": _doctor,
    "selftest": _selftest,
    "compact": _compact,
    "lengths": _lengths,
}

if __name__ == "__main__":
    sys.exit(main())
