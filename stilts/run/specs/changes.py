"""How two specifications of a run differ."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hpc.errors import UserError
from stilts.run.specs.run import RunSpec, plain


def differences(stored: RunSpec, asked: RunSpec) -> list[str]:
    """Lines `field: stored -> asked` for all that differs in the identity of two specifications."""
    if stored.stage != asked.stage:
        return [f"stage: {stored.stage} -> {asked.stage}"]
    before, after = _flatten(plain(stored.asked)), _flatten(plain(asked.asked))
    lines = [
        f"{key}: {before.get(key, '(absent)')} -> {after.get(key, '(absent)')}"
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]
    changed = [name for name in asked.parents if stored.parents.get(name) != asked.parents[name]]
    return lines + [f"its parent {name} changed" for name in changed]


def refuse_change(stored: RunSpec, asked: RunSpec, path: Path) -> None:
    """Raises a `UserError` that names the differing fields unless both ask for the same."""
    if stored.fingerprint != asked.fingerprint:
        lines = differences(stored, asked)
        shown = "; ".join([*lines[:5], *([f"and {len(lines) - 5} more"] if len(lines) > 5 else [])])
        raise UserError(
            f"{path} was launched with other settings ({shown}); delete the folder to run it anew, "
            "or give the changed study another name"
        )


def _flatten(value: Any, prefix: str = "") -> dict[str, str]:
    if isinstance(value, Mapping):
        return {
            key: text
            for name, item in value.items()
            for key, text in _flatten(item, f"{prefix}.{name}" if prefix else name).items()
        }
    return {prefix: json.dumps(value)}
