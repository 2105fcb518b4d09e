"""The folder that answers a run (`RunFolder`): every path of it, and its state."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hpc.errors import Busy, Unreadable, UserError
from hpc.files import Held, is_locked, is_there, listing, lock, read_json, write_json
from stilts.run import outputs
from stilts.run.specs import OtherVersion, RunSpec, refuse_change

State = Literal["planned", "running", "done", "failed", "interrupted", "damaged"]
"""`damaged`: done once, but what it wrote is not whole any more, or its specification is not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """Why an attempt ended early."""

    error: str
    code: int
    """Exit code."""


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
    def metrics(self) -> Path:
        """How a training run goes: a line every second or so, and one an evaluation."""
        return self.path / "metrics.jsonl"

    @property
    def attempts(self) -> Path:
        """What each attempt spent, and on what."""
        return self.path / "attempts"

    @property
    def beats(self) -> Path:
        """How far each rank is, while they train."""
        return self.path / "beats"

    @property
    def checkpoints(self) -> Path:
        """Resumable training states; emptied when the run is done."""
        return self.path / "checkpoints"

    @property
    def weights(self) -> Path:
        """Model folder in Hugging Face's format: what children read."""
        return self.path / "weights"

    @property
    def mixture(self) -> Path:
        """What each task contributed to the training phase: steps, items, tokens, passes over its data."""
        return self.path / "mixture.json"

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
        """Written last: its presence means the run is complete. It lists what the run has written."""
        return self.path / "done.json"

    @property
    def data(self) -> Path:
        """Which version of each set was read."""
        return self.path / "data.json"

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

    def read_spec(self, planned: RunSpec | None = None) -> RunSpec:
        """The run's specification.

        Args:
            planned: what it most likely is; read fast where it is that.

        Raises:
            UserError: there is none, or it was edited after it was written.
        """
        try:
            stored = read_json(self.spec)
        except FileNotFoundError as error:
            raise UserError(
                f"no run at {self.path}: spec.json is missing; launch its study first", code=3
            ) from error
        if planned is not None and planned.is_stored_as(stored):
            return planned
        try:
            return RunSpec.from_json(stored, str(self.spec))
        except OtherVersion:
            raise
        except UserError as error:
            raise UserError(str(error), code=3) from error

    def write_spec(self, spec: RunSpec) -> None:
        """Creates the folder with its specification; an equal one is left as it is, a damaged one replaced.

        What was made by nobody knows what goes with a damaged one; what says that it was made by this one
        stays.

        Raises:
            OtherVersion: one is there that is whole, but unknown here.
            UserError: another specification is there; the differing fields are named.
        """
        if is_there(self.spec):
            try:
                stored = self.read_spec()
            except (OtherVersion, Unreadable):
                raise
            except UserError:
                if not self._was_done_as(spec):
                    outputs.clear(self.path)
            else:
                refuse_change(stored, spec, self.path)
                return
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.spec, spec.as_json())

    def _was_done_as(self, spec: RunSpec) -> bool:
        try:
            return outputs.read_done(self.path).fingerprint == spec.fingerprint
        except Unreadable:
            raise
        except (FileNotFoundError, UserError):
            return False

    def state(self, spec: RunSpec | None = None) -> State:
        """Read off the files: a lock that is held is a running run, whatever died before.

        Args:
            spec: the run's, where it has been read already.

        Raises:
            Unreadable: the system does not give what tells it.
        """
        if is_there(self.done):
            return "damaged" if self.damage(spec) else "done"
        if is_locked(self.lock):
            return "running"
        if is_there(self.spec) and _is_torn(self.spec):
            return "damaged"
        if is_there(self.failed):
            return "failed"
        return "interrupted" if is_there(self.provenance) else "planned"

    def damage(self, spec: RunSpec | None = None, *, contents: tuple[str, ...] = ()) -> str:
        """Why a run that is marked as done cannot be relied on; empty when it can.

        Args:
            spec: the run's, where it has been read already.
            contents: folders whose files are hashed; of all others the size must do.

        Raises:
            Unreadable: the system does not give a file, so that it may well be whole.
        """
        try:
            done = outputs.read_done(self.path)
            if done.fingerprint != (spec or self.read_spec()).fingerprint:
                return "done.json belongs to another specification"
        except Unreadable:
            raise
        except UserError as error:
            return str(error)
        return outputs.damage(self.path, done, contents=contents)

    def failure(self) -> "Failure | None":
        """Why the last attempt ended early; None where it did not, or was ended from outside."""
        try:
            told = read_json(self.failed)
            where = f"rank {told['rank']}: " if "rank" in told else ""
            return Failure(error=f"{where}{told['error']}", code=int(told["code"]))
        except FileNotFoundError:
            return None
        except (UserError, KeyError, TypeError, ValueError) as error:
            return Failure(error=f"{self.failed} is damaged ({error})", code=1)

    @contextmanager
    def locked(self, *, patience: float = 0.5) -> Iterator[None]:
        """Holds the run for this process; the kernel lets go when the process ends, however it ends.

        Args:
            patience: seconds to wait for another process that works on it.

        Raises:
            Busy: another process works on the run.
        """
        try:
            with lock(self.lock, patience=patience):
                yield
        except Held as held:
            raise Busy(
                f"another process ({held}) works on {self.path}; wait for it or stop it", code=1
            ) from None


def run_folders(root: Path) -> list[Path]:
    """The folders of a study's runs; one that may not be looked into counts.

    Raises:
        Unreadable: the system does not list the study's folder.
    """

    def may_be_a_run(folder: Path) -> bool:
        try:
            return is_there(folder / "spec.json")
        except Unreadable:
            return True

    return [folder for folder in listing(root, "[!.]*") if may_be_a_run(folder)]


def _is_torn(path: Path) -> bool:
    try:
        read_json(path)
    except Unreadable:
        raise
    except UserError:
        return True
    return False
