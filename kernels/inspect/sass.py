"""Counts instructions in what `nvdisasm -c` prints: of the whole kernel, and of one trip of its hot loop.

The hot loop is the innermost loop that holds tensor-core instructions.
"""

import re
from collections import Counter
from typing import NamedTuple

TENSOR = ("HMMA", "HGMMA", "UTCHMMA")

_INSTRUCTION = re.compile(r"/\*[0-9a-f]{4,}\*/\s+(?:@!?\w+\s+)?([A-Z][\w.]*)([^;]*);")
_LABEL = re.compile(r"^\s*(\.L_\w+):")
_TARGET = re.compile(r"`\((\.L_\w+)\)")


class Instruction(NamedTuple):
    """One line of a listing, without its predicate."""

    opcode: str
    """Up to the first dot: LDG."""
    modifiers: tuple[str, ...]
    """E, 128."""
    target: str
    """Label that a branch goes to."""


class Listing(NamedTuple):
    """A disassembled kernel."""

    instructions: list[Instruction]
    labels: dict[str, int]
    """Index of the instruction that follows each label."""

    def hot_loops(self) -> list[list[Instruction]]:
        """The innermost loops that hold tensor-core instructions."""
        loops = []
        for end, instruction in enumerate(self.instructions):
            start = self.labels.get(instruction.target, end + 1)
            body = self.instructions[start : end + 1]
            if instruction.opcode == "BRA" and any(one.opcode in TENSOR for one in body):
                loops.append((start, end))
        return [
            self.instructions[start : end + 1]
            for start, end in loops
            if not any((start, end) != (a, b) and start <= a and b <= end for a, b in loops)
        ]


def parse(text: str) -> Listing:
    """Reads a listing of one kernel."""
    instructions: list[Instruction] = []
    labels: dict[str, int] = {}
    for line in text.splitlines():
        if label := _LABEL.match(line):
            labels[label[1]] = len(instructions)
        elif found := _INSTRUCTION.search(line):
            opcode, *modifiers = found[1].split(".")
            target = _TARGET.search(found[2])
            instructions.append(Instruction(opcode, tuple(modifiers), target[1] if target else ""))
    return Listing(instructions, labels)


def counts(listing: Listing) -> dict[str, float]:
    """The figures of `bars.toml` that can be counted; those of a trip only where there is one hot loop."""
    whole = Counter(one.opcode for one in listing.instructions)
    wide = Counter(one.opcode for one in listing.instructions if "128" in one.modifiers)
    loops = listing.hot_loops()
    figures: dict[str, float] = {
        "local_loads": whole["LDL"],
        "local_stores": whole["STL"],
        "global_loads_128bit": wide["LDG"],
        "global_loads_narrow": whole["LDG"] + whole["LD"] - wide["LDG"],
        "global_stores_128bit": wide["STG"],
        "global_stores_narrow": whole["STG"] + whole["ST"] - wide["STG"],
        "async_copies": whole["LDGSTS"],
        "hmma_anywhere": whole["HMMA"],
        "hot_loops": len(loops),
    }
    if whole["LDGSTS"]:
        figures["async_copies_128bit_share"] = wide["LDGSTS"] / whole["LDGSTS"]
    if len(loops) == 1:
        trip = Counter(one.opcode for one in loops[0])
        figures |= {
            "instructions": len(loops[0]),
            "hmma": trip["HMMA"],
            "hgmma": trip["HGMMA"],
            "utchmma": trip["UTCHMMA"],
            "mufu": trip["MUFU"],
            "float_selects": trip["FSEL"],
            "integer_selects": trip["SEL"],
        }
    return figures
