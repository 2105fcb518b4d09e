"""What a run was asked (`RunSpec`): written by the launcher, never changed."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from hpc.errors import UserError

Kind = Literal["prepare", "train", "evaluate", "baseline", "latency"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSpec:
    """What a run was asked to do. Written by the launcher, never changed."""

    study: str
    id: str
    """Readable: `multi-s1`, `mnli-s1.xnli`, `mnli-s1.xnli.eval`."""
    kind: Kind
    needs: tuple[str, ...] = ()
    """Runs that must be done before this one starts."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Everything the stage reads, as JSON."""
    parents: Mapping[str, str] = field(default_factory=dict)
    """Fingerprint of each need: a changed ancestor changes the run."""
    tokens: int = 0
    """Estimate of the tokens computed on, for plans and progress; not part of the identity."""

    @property
    def fingerprint(self) -> str:
        """Hash of all that can change the run's numbers."""
        identity = {"kind": self.kind, "fields": self.fields, "parents": self.parents}
        canonical = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """The content of `spec.json`."""
        return asdict(self) | {"needs": list(self.needs), "fingerprint": self.fingerprint}


def differences(stored: RunSpec, asked: RunSpec) -> list[str]:
    """Lines `field: stored -> asked` for all that differs in the identity of two specifications."""
    if stored.kind != asked.kind:
        return [f"kind: {stored.kind} -> {asked.kind}"]
    before, after = _flatten(stored.fields), _flatten(asked.fields)
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
