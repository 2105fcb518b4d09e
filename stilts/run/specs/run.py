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
        return _is_whole(stored) and bool(stored["fingerprint"] == self.fingerprint)

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
            OtherVersion: it is whole, but no specification of this version.
            UserError: it is not as it was written.
        """
        try:
            spec, fingerprint = cls._decoded(stored, where)
        except UserError as error:
            if _is_whole(stored):
                raise OtherVersion(where, str(error)) from error
            raise
        if spec.fingerprint == fingerprint:
            return spec
        if _is_whole(stored):
            raise OtherVersion(where, "its fingerprint is made otherwise")
        folder = Path(where).parent
        raise UserError(
            f"{where} is not as launch wrote it: restore it, or move {folder} away to run it anew", code=3
        )

    @classmethod
    def _decoded(cls, stored: Any, where: str) -> tuple["RunSpec", str]:
        """With the fingerprint that stands in the file."""
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
        return spec, envelope.fingerprint


class OtherVersion(UserError):
    """A specification that another version of this program wrote; what it asks for was not changed since."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(
            f"{where} was written by another version of stilts ({reason}): use that one, or move "
            f"{Path(where).parent} away to run it anew",
            code=3,
        )


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


def _is_whole(stored: Any) -> bool:
    """Whether the content of a `spec.json` is as it was written, by whatever version."""
    try:
        identity = {name: stored[name] for name in ("stage", "asked", "parents")}
        return bool(stored["fingerprint"] == _hash(identity))
    except (LookupError, TypeError, ValueError):
        return False


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
