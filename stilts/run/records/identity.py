"""What was measured, as a hash: the key of caches and of resuming."""

import hashlib
import json
from typing import Any


def cell_id(**fields: Any) -> str:
    """Hash of all that can change the number: digests of task, data and checkpoint, implementation, dtype,
    batch ...

    Leave out what cannot change it (rank, world size, path, user, date), or resumed work is done twice.
    """
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def latency_shard_name(
    *, run_id: str, cell: str, rank: int, process: int, restart: int, sequence: int
) -> str:
    """Name of one shard of timings; no two writers share one."""
    return f"lat-{run_id}-{cell[:8]}-r{rank}-p{process}-a{restart}-{sequence:05}"
