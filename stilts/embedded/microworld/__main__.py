"""Read the microworld: `python -m stilts.embedded.microworld --show xnli --language de` or `--check de`."""

import argparse
import json
import sys

from hpc.errors import UserError
from stilts.embedded.microworld import SPLITS, check, rows
from stilts.embedded.microworld.languages import load


def main(arguments: list[str] | None = None) -> int:
    """Print rows of a task, or everything a language can say with what its file lacks."""
    parser = argparse.ArgumentParser(prog="python -m stilts.embedded.microworld", description=__doc__)
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument(
        "--check", metavar="LANGUAGE", help="what its file lacks, and every sentence it can say"
    )
    asked.add_argument("--show", metavar="TASK", help="rows of a task, one JSON object a line")
    parser.add_argument("--language", default="en")
    parser.add_argument("--split", default="test", choices=SPLITS)
    parser.add_argument("--limit", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    try:
        if options.check:
            return _check(options.check)
        shown = rows(
            options.show,
            language=options.language,
            split=options.split,
            limit=options.limit,
            seed=options.seed,
        )
    except UserError as problem:
        print(f"stilts.embedded.microworld: {problem}", file=sys.stderr)
        return problem.code
    for row in shown:
        print(json.dumps(row, ensure_ascii=False))
    return 0


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
