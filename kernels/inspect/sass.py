"""Counts instructions in what `nvdisasm -c` prints: of the whole kernel, and of one trip of its hot loop.

The hot loop is the innermost loop that holds tensor-core instructions.
"""

import re
from collections import Counter
from typing import NamedTuple

TENSOR = ("HMMA", "HGMMA", "UTCHMMA")
_ENDS = ("BRA", "EXIT", "RET")

_INSTRUCTION = re.compile(r"/\*[0-9a-f]{4,}\*/\s+(@!?\w+)?\s*([A-Z][\w.]*)([^;]*);")
_LABEL = re.compile(r"^\s*(\.L_\w+):")
_TARGET = re.compile(r"`\((\.L_\w+)\)")
_WAIT = re.compile(r"SB0, 0x([0-9a-f]+)")


class Instruction(NamedTuple):
    """One line of a listing."""

    opcode: str
    """Up to the first dot: LDG."""
    modifiers: tuple[str, ...]
    """E, 128."""
    target: str
    """Label that a branch goes to."""
    always: bool
    """Whether it happens whatever the predicates."""
    left: int | None = None
    """Groups of copies to shared memory that may still be under way where it waits for the others."""


class Listing(NamedTuple):
    """A disassembled kernel."""

    instructions: list[Instruction]
    labels: dict[str, int]
    """Index of the instruction that follows each label."""

    def hot_loops(self) -> list[list[Instruction]]:
        """The innermost loops that hold tensor-core instructions."""
        hot = [
            body for body in self._loops() if any(self.instructions[index].opcode in TENSOR for index in body)
        ]
        return [
            [self.instructions[index] for index in sorted(body)]
            for body in hot
            if not any(other < body for other in hot)
        ]

    def _loops(self) -> list[set[int]]:
        """Natural loops: what reaches a backward branch without passing its target, if all ways in pass it.

        Code that waits out of line and jumps back into the middle of other code is none.
        """
        before = self._predecessors()
        loops: dict[int, set[int]] = {}
        for end, instruction in enumerate(self.instructions):
            start = self.labels.get(instruction.target, end + 1)
            if instruction.opcode != "BRA" or start > end:
                continue
            body, waiting = {start, end}, [end]
            while waiting:
                index = waiting.pop()
                fresh = set(before[index]) - body if index != start else set()
                body |= fresh
                waiting += fresh
            if start == 0 or 0 not in body:
                loops.setdefault(start, set()).update(body)
        return list(loops.values())

    def _predecessors(self) -> list[list[int]]:
        before: list[list[int]] = [[] for _ in range(len(self.instructions) + 1)]
        for index, instruction in enumerate(self.instructions):
            if instruction.opcode == "BRA" and instruction.target in self.labels:
                before[self.labels[instruction.target]].append(index)
            if not (instruction.always and instruction.opcode in _ENDS):
                before[index + 1].append(index)
        return before


def parse(text: str) -> Listing:
    """Reads a listing of one kernel."""
    instructions: list[Instruction] = []
    labels: dict[str, int] = {}
    for line in text.splitlines():
        if label := _LABEL.match(line):
            labels[label[1]] = len(instructions)
        elif found := _INSTRUCTION.search(line):
            opcode, *modifiers = found[2].split(".")
            target = _TARGET.search(found[3])
            # A branch on a uniform predicate has it as an operand: BRA.U UP0, `(.L_x_1)
            always = not found[1] and "P" not in found[3].partition("`")[0]
            waits = _WAIT.search(found[3]) if opcode == "DEPBAR" else None
            left = int(waits[1], 16) if waits else None
            instructions.append(
                Instruction(opcode, tuple(modifiers), target[1] if target else "", always, left)
            )
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
        if waits := [one.left for one in loops[0] if one.left is not None]:
            figures["copies_in_flight"] = min(waits)
    return figures
