"""The tile table's text with the sections of one architecture renewed, and everything else as it was."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import astuple

from kernels.tiles import Tile
from kernels.tune.choice import Section

MARK = "# tuned: "


def rewrite(text: str, arch: str, sections: Sequence[Section], notes: Mapping[tuple[str, str], str]) -> str:
    """Renews an architecture's sections, or appends them if it has none yet.

    Args:
        text: of the table, TOML.
        arch: such as sm_90.
        sections: its new content.
        notes: by layout and size, what is to be said above a section; it replaces what was said so before.

    Returns:
        The new text. Comments stay, other than those of an earlier tuning of these sections.

    Raises:
        ValueError: the text is laid out so that the new table would not be what was asked.
    """
    lines = text.rstrip("\n").split("\n")
    for section in sections:
        _renew(lines, arch, section, notes.get((section.layout, section.size), ""))
    out = "\n".join(lines) + "\n"
    wanted = tomllib.loads(text)
    part = wanted.setdefault(arch, {})
    for section in sections:
        part.setdefault(section.layout, {})[section.size] = _roles(section)
    try:
        if tomllib.loads(out) == wanted:
            return out
    except tomllib.TOMLDecodeError:
        pass
    raise ValueError(f"the table's sections of {arch} are not laid out one [arch.layout.size] each")


def _renew(lines: list[str], arch: str, section: Section, note: str) -> None:
    header = f"[{arch}.{section.layout}.{section.size}]"
    said = [MARK + line for line in note.split("\n")] if note else []
    roles = [f"{role} = {rows}" for role, rows in _roles(section).items()]
    if header not in lines:
        lines += ["", *said, header, *roles]
        return
    start = lines.index(header)
    end = next((i for i in range(start + 1, len(lines)) if lines[i].startswith("[")), len(lines))
    # Blank lines and comments before the next header belong to that.
    while end > start + 1 and (not lines[end - 1] or lines[end - 1].startswith("#")):
        end -= 1
    kept = [line for line in lines[start + 1 : end] if not re.match(r"(default|large|alternative)\s*=", line)]
    first = start
    while first and lines[first - 1].startswith(MARK):
        first -= 1
    lines[first:end] = [*said, header, *roles, *kept]


def _roles(section: Section) -> dict[str, list[object]]:
    roles: dict[str, list[object]] = {"default": _row(section.default), "large": _row(section.large)}
    if section.alternative:
        roles["alternative"] = [_row(tile) for tile in section.alternative]
    return roles


def _row(tile: Tile) -> list[object]:
    return list(astuple(tile))
