"""Seeds of a run: one for each purpose, from the study's seed and the run's id by a hash.

Two runs, two purposes or two steps never share one, whatever the study's seed is.
"""

import hashlib


def seed_of(*parts: int | str) -> int:
    """A number below 2**63 that follows from the parts alone, its low 32 bits as good as all of them.

    Args:
        parts: the study's seed, the run's id, the purpose, and what else tells one use from another.
    """
    text = "\0".join(map(str, parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
