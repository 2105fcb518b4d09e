"""Counts how long the queries of tasks are, for `stilts.latency.lengths`."""

import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hpc.errors import UserError
from hpc.files import digest, write_atomic
from stilts import data, tasks
from stilts.latency import lengths
from stilts.latency.deploy.traffic import by_example


def write_lengths(
    names: Sequence[str],
    languages: Sequence[str],
    tokenizer: Path,
    sources: Sequence[str],
    count: int,
    output: Path,
) -> int:
    """Writes the token counts of examples from all over each set that is there; the others are named.

    Raises:
        UserError: none is there, or the tokenizer is not.
    """
    if not tokenizer.is_file():
        raise UserError(f"no tokenizer at {tokenizer}", code=3)
    counted: dict[str, dict[str, list[tuple[int, ...]]]] = {}
    about = [
        "Tokens of the windows of examples from all over each set (a+b: an example of two), not the texts.",
        f"Tokenizer: sha256 {digest(tokenizer)}.",
    ]
    with TemporaryDirectory() as cache:
        for name in names:
            task = tasks.load(name)
            for language in [one for one in languages if one in task.languages]:
                try:
                    encoded = data.load(
                        task,
                        language=language,
                        split="test",
                        tokenizer_file=tokenizer,
                        max_length=task.max_length,
                        sources=sources,
                        cache=Path(cache),
                    )
                except UserError as error:
                    print(f"left out: {error}", file=sys.stderr)
                    continue
                about.append(f"{name} {language}: {encoded.version}")
                counted.setdefault(name, {})[language] = [sizes for _, sizes in by_example(encoded, count)]
    if not counted:
        raise UserError("none of these sets is there", code=3)
    write_atomic(output, lengths.as_toml(counted, about=about))
    total = sum(len(found) for sets in counted.values() for found in sets.values())
    print(f"{total} queries of {', '.join(counted)} in {output}")
    return 0
