"""CCGbank's derivations (`.auto`): a line `ID=...`, then the tree, with a category at each of its leaves."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from stilts.data.formats import Record, refuse
from stilts.data.formats._text import lines

# (<L category modified-tag original-tag word predicate-argument-category>)
_LEAF = re.compile(r"\(<L (\S+) \S+ \S+ (\S+) \S+>\)")


def rows(paths: Sequence[Path], *, language: str) -> Iterator[Record]:  # noqa: ARG001
    """One row a derivation: its words and their categories."""
    for path in paths:
        name = ""
        for number, line in lines(path):
            if line.startswith("ID="):
                name = line.split()[0].removeprefix("ID=")
            elif line.strip():
                leaves = _LEAF.findall(line)
                if not leaves or len(leaves) != line.count("(<L ") or line.count("(") != line.count(")"):
                    raise refuse(path, number, "no whole CCGbank derivation")
                values = {
                    "id": name,
                    "tokens": [word for _, word in leaves],
                    "tags": [tag for tag, _ in leaves],
                }
                yield Record(values, path=path, number=number)
