"""Read the microworld: `python -m stilts.microworld --show xnli --language de` or `--check de`."""

import argparse
import sys

from stilts.errors import Problem
from stilts.microworld import check
from stilts.microworld.languages import load


def main(arguments: list[str] | None = None) -> int:
    """Print rows of a task, or everything a language file can say with what it lacks."""
    parser = argparse.ArgumentParser(prog="python -m stilts.microworld", description=__doc__)
    parser.add_argument(
        "--check", metavar="LANGUAGE", help="what the language lacks, and every sentence it can say"
    )
    parser.add_argument("--language", default="en")
    options = parser.parse_args(arguments)
    try:
        return _check(options.check)
    except Problem as problem:
        print(f"stilts.microworld: {problem}", file=sys.stderr)
        return problem.code


def _check(code: str) -> int:
    language = load(code)
    found = check.complaints(language)
    for complaint in found:
        print(f"{code}: {complaint}")
    if found:
        print(f"{code}: {len(found)} complaints; the sentences come when there are none")
        return 1
    for line in check.forms(language):
        print(line)
    for key, said in check.specimens(language):
        print(f"{key:24} {said}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
