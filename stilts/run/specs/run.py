"""A run's specification: what it is asked, what it needs, and its identity."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from hpc.errors import UserError, unknown_name
from hpc.settings import decode
from stilts.run.specs.asked import Stage, stages


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """A run of a study."""

    study: str
    id: str
    """Readable: `multi-s1`, `mnli-s1.xnli`, `mnli-s1.xnli.eval`."""
    asked: Stage
    """Everything the stage reads."""
    needs: tuple[str, ...] = ()
    """Runs that must be done before this one starts."""
    parents: Mapping[str, str] = field(default_factory=dict)
    """Fingerprint of each need: a changed ancestor changes the run."""
    tokens: int = 0
    """Estimate of the tokens computed on, for plans and progress; not part of the identity."""

    @property
    def stage(self) -> str:
        """Name of its stage."""
        return self.asked.name

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all that can change the run's numbers."""
        return _hash({"stage": self.stage, "asked": plain(self.asked), "parents": dict(self.parents)})

    def is_stored_as(self, stored: Any) -> bool:
        """Whether the content of a `spec.json` is this run's, and as it was written."""
        try:
            identity = {name: stored[name] for name in ("stage", "asked", "parents")}
            return bool(stored["fingerprint"] == self.fingerprint == _hash(identity))
        except (LookupError, TypeError, ValueError):
            return False

    def as_json(self) -> dict[str, Any]:
        """The content of `spec.json`."""
        return {
            "study": self.study,
            "id": self.id,
            "stage": self.stage,
            "asked": plain(self.asked),
            "needs": list(self.needs),
            "parents": dict(self.parents),
            "tokens": self.tokens,
            "fingerprint": self.fingerprint,
        }

    @classmethod
    def from_json(cls, stored: Any, where: str) -> "RunSpec":
        """The specification that `as_json` wrote.

        Raises:
            UserError: it is no specification of this version, or was edited after it was written.
        """
        envelope: _Envelope = decode(_Envelope, stored, where)
        if envelope.stage not in stages():
            raise unknown_name("stage", envelope.stage, stages(), where=where)
        spec = cls(
            study=envelope.study,
            id=envelope.id,
            asked=decode(stages()[envelope.stage], envelope.asked, where),
            needs=envelope.needs,
            parents=envelope.parents,
            tokens=envelope.tokens,
        )
        if spec.fingerprint != envelope.fingerprint:
            raise UserError(
                f"{where} is not as launch wrote it: it was edited, or written by another version of stilts; "
                f"restore it, or move {Path(where).parent} away to run it anew",
                code=3,
            )
        return spec


@dataclass(frozen=True, kw_only=True, slots=True)
class _Envelope:
    study: str
    id: str
    stage: str
    asked: dict[str, Any]
    needs: tuple[str, ...]
    parents: dict[str, str]
    tokens: int
    fingerprint: str


def _hash(identity: dict[str, Any]) -> str:
    canonical = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(item.name for item in dataclasses.fields(kind))


def plain(value: Any) -> Any:
    """A specification as JSON. What is absent or empty is left out: runs outlive settings added later."""
    if value is None or isinstance(value, str | int | float):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {name: getattr(value, name) for name in _names(type(value))}
    if isinstance(value, Mapping):
        kept = {str(key): plain(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item is not None and item != [] and item != {}}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value
