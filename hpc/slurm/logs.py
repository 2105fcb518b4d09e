"""What srun tells in a job's log of a rank that could not tell it itself."""

import os
import re
from pathlib import Path

_TAIL_BYTES = 1 << 18
_BEGIN = "Starting with JobEnvironment"
_ENDED = re.compile(r"^srun: error: \S+: tasks? ([\d,-]+): (.+)$")
_IN_WORDS = {"Killed": "killed", "Terminated": "terminated", "Out Of Memory": "ended for want of memory"}


def lost_rank(log: Path) -> str:
    """Which rank of the last attempt ended first, and how; empty where it told its own reason.

    The other ranks complain of a closed connection, and are ended by srun in turn.
    """
    try:
        with open(log, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    for line in text[text.rfind(_BEGIN) + 1 :].splitlines():
        found = _ENDED.match(line)
        if found is None:
            continue
        ranks, how = found.groups()
        if how.startswith("Exited"):
            return ""
        several = "s" if "," in ranks or "-" in ranks else ""
        verb = "were" if several else "was"
        return f"rank{several} {ranks} {verb} {_IN_WORDS.get(how, f'ended: {how}')}"
    return ""
