"""How long real queries are: token counts of the windows of examples, by task and language, not the texts.

The table that ships was counted with XLM-R's tokenizer by `stilts latency lengths`; its file says from what.
"""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from hpc.errors import UserError, unknown_name

TABLE = Path(__file__).parent / "lengths.toml"


def read(task: str, language: str) -> list[tuple[int, ...]]:
    """Tokens of each window of each example, in the order of the set: the same examples in every language.

    Raises:
        UserError: no lengths of that task or language; it names those there are.
    """
    table = _table()
    if task not in table:
        raise unknown_name("task with lengths", task, table, where=TABLE.name)
    if language not in table[task]:
        raise unknown_name("language", language, table[task], where=f"the lengths of {task}")
    return [tuple(map(int, example.split("+"))) for example in table[task][language].split()]


def known() -> Mapping[str, Sequence[str]]:
    """Languages by task."""
    return {task: tuple(languages) for task, languages in _table().items()}


def as_toml(counted: Mapping[str, Mapping[str, Sequence[Sequence[int]]]], *, about: Sequence[str]) -> str:
    """The content of such a file.

    Args:
        counted: by task and language, the tokens of the windows of each example.
        about: lines that say where they are from.
    """
    lines = [f"# {line}" for line in about]
    for task, languages in counted.items():
        lines += ["", f"[{task}]"]
        for language, examples in languages.items():
            text = " ".join("+".join(map(str, windows)) for windows in examples)
            lines.append(f'{language} = "{text}"')
    return "\n".join(lines) + "\n"


@cache
def _table() -> dict[str, dict[str, str]]:
    try:
        return tomllib.loads(TABLE.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{TABLE} is missing: install stilts again", code=3) from error
