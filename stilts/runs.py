"""A run: what was asked (`RunSpec`) and the folder that answers it (`RunFolder`)."""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from stilts.errors import Problem
from stilts.files import append_json_line, write_json

Kind = Literal["prepare", "train", "evaluate", "baseline", "latency"]
State = Literal["planned", "running", "done", "failed", "interrupted"]


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


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Names every path of a run."""

    path: Path

    @property
    def id(self) -> str:
        """The run's id is its folder's name."""
        return self.path.name

    @property
    def spec(self) -> Path:
        """What was asked."""
        return self.path / "spec.json"

    @property
    def provenance(self) -> Path:
        """One line an attempt: code, versions, machine."""
        return self.path / "provenance.jsonl"

    @property
    def submit(self) -> Path:
        """The executor's own folder: job id and logs."""
        return self.path / "submit"

    @property
    def progress(self) -> Path:
        """One object a logging step."""
        return self.path / "progress.jsonl"

    @property
    def checkpoints(self) -> Path:
        """Resumable training states; emptied when the run is done."""
        return self.path / "checkpoints"

    @property
    def weights(self) -> Path:
        """Model folder in Hugging Face's format: what children read."""
        return self.path / "weights"

    @property
    def drawn(self) -> Path:
        """What each task contributed to the training phase: steps, items, tokens, passes over its data."""
        return self.path / "drawn.json"

    @property
    def predictions(self) -> Path:
        """Arrow, one file a task and language."""
        return self.path / "predictions"

    @property
    def records(self) -> Path:
        """Arrow shards by kind."""
        return self.path / "records"

    @property
    def cache(self) -> Path:
        """Tokenised data, shared by the runs of all studies beside this one."""
        return self.path.parent.parent / ".cache"

    @property
    def done(self) -> Path:
        """Written last: its presence means the run is complete."""
        return self.path / "done.json"

    @property
    def failed(self) -> Path:
        """Why the last attempt ended early; absent after a fresh start."""
        return self.path / "failed.json"

    @property
    def lock(self) -> Path:
        """Held by the process that works on the run."""
        return self.path / "lock"

    def sibling(self, run_id: str) -> "RunFolder":
        """The folder of another run of the same study."""
        return RunFolder(self.path.parent / run_id)

    def read_spec(self) -> RunSpec:
        """The run's specification.

        Raises:
            Problem: there is none, or it was edited after it was written.
        """
        try:
            stored = json.loads(self.spec.read_text())
        except FileNotFoundError as error:
            raise Problem(
                f"no run at {self.path}: spec.json is missing; launch its study first", code=3
            ) from error
        fingerprint = stored.pop("fingerprint")
        spec = RunSpec(**stored | {"needs": tuple(stored["needs"])})
        if spec.fingerprint != fingerprint:
            raise Problem(f"{self.spec} was edited after launch; restore it or delete {self.path}")
        return spec

    def write_spec(self, spec: RunSpec) -> None:
        """Creates the folder with its specification; an equal one is left as it is.

        Raises:
            Problem: another specification is there; the differing fields are named.
        """
        if self.spec.exists():
            refuse_change(self.read_spec(), spec, self.path)
            return
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.spec, spec.as_json())

    def state(self) -> State:
        """Read off the files: a lock that is held is a run at work, whatever died before."""
        if self.done.exists():
            return "done"
        if self.lock.exists() and _is_held(self.lock):
            return "running"
        if self.failed.exists():
            return "failed"
        return "interrupted" if self.provenance.exists() else "planned"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the run for this process; the kernel lets go when the process ends, however it ends.

        Raises:
            Problem: another process works on the run.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with open(self.lock, "a") as file:
            if not _takes(file.fileno(), fcntl.LOCK_EX, patience=0.5):
                raise Problem(f"another process works on {self.path}; wait for it or stop it", code=1)
            yield


class Progress:
    """Tells `progress.jsonl` how far a run is, at most twice a second.

    Args:
        run: whose progress.
        total: where it ends.
        unit: what is counted, such as `steps`.
    """

    def __init__(self, run: RunFolder, *, total: int, unit: str) -> None:
        self._path = run.progress
        self._total = total
        self._unit = unit
        self._next = 0.0

    def at(self, done: int, note: str = "") -> None:
        """Reports `done` of the total."""
        now = time.monotonic()
        if now < self._next and done < self._total:
            return
        self._next = now + 0.5
        line = {"unix": time.time(), "done": done, "total": self._total, "unit": self._unit, "note": note}
        append_json_line(self._path, line)


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
    """Raises a `Problem` that names the differing fields unless both ask for the same."""
    if stored.fingerprint != asked.fingerprint:
        lines = differences(stored, asked)
        shown = "; ".join([*lines[:5], *([f"and {len(lines) - 5} more"] if len(lines) > 5 else [])])
        raise Problem(
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


def _is_held(path: Path) -> bool:
    handle = os.open(path, os.O_RDONLY)
    try:
        return not _takes(handle, fcntl.LOCK_SH)
    finally:
        os.close(handle)


def _takes(handle: int, kind: int, patience: float = 0.0) -> bool:
    """Whether a lock was had within `patience` seconds: who looks at the state holds it for an instant."""
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(0.02)
