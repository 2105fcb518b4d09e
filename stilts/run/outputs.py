"""What a run has written: listed in `done.json` with size and checksum, held against the files ever after."""

import hashlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from hpc.errors import Unreadable, UserError
from hpc.files import digest, files_below, is_there, read_json, write_json
from hpc.settings import decode
from hpc.usage import Usage

FOLDERS = ("weights", "predictions", "cells", "records")
FILES = ("mixture.json", "data.json")
"""What belongs to a run's results; all else in its folder tells how they came about."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Output:
    """A file of a run."""

    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """The content of `done.json`."""

    fingerprint: str
    """Of the specification that was carried out."""
    outputs: dict[str, Output]
    """By path within the run's folder."""
    finished_unix: float
    seconds: float
    cpu_seconds: float
    peak_rss: int
    gpu_peak: int | None = None
    gpu_seconds: float | None = None
    energy_j: float | None = None


def write_done(folder: Path, fingerprint: str, usage: Usage) -> None:
    """Lists what the run in `folder` has written; its presence means that the run is complete."""
    outputs = {
        str(path.relative_to(folder)): Output(bytes=path.stat().st_size, sha256=digest(path))
        for path in _files(folder)
    }
    done = Done(fingerprint=fingerprint, outputs=outputs, finished_unix=time.time(), **asdict(usage))
    write_json(folder / "done.json", asdict(done))


def read_done(folder: Path) -> Done:
    """What `write_done` wrote.

    Raises:
        FileNotFoundError: the run is not done.
        Unreadable: the system does not give it.
        UserError: the file is damaged.
    """
    path = folder / "done.json"
    told = read_json(path)
    if isinstance(told, dict):
        # A later version may tell more.
        told = {name: value for name, value in told.items() if name in Done.__dataclass_fields__}
    try:
        done: Done = decode(Done, told, str(path))
    except UserError as error:
        raise UserError(str(error), code=3) from error
    return done


def damage(folder: Path, done: Done, *, contents: tuple[str, ...] = ()) -> str:
    """The first file that is missing, not what it was, or an observation more; empty when all are whole.

    Args:
        folder: of the run.
        done: what it lists.
        contents: folders within it whose files are read and hashed, and which may hold no observations more;
            of the others the sizes are looked at. `FILES` are read in any case: they are small.

    Raises:
        Unreadable: the system does not give a file.
    """
    for name, output in done.outputs.items():
        path = folder / name
        try:
            size = path.stat().st_size
            if size != output.bytes:
                return f"{name} has {size} bytes, not {output.bytes}"
            if name.partition("/")[0] in (*contents, *FILES) and digest(path) != output.sha256:
                return f"{name} has other contents than it was written with"
        except (FileNotFoundError, NotADirectoryError):
            return f"{name} is missing"
        except OSError as error:
            raise Unreadable(error, path) from error
    for part in contents:
        for path in files_below(folder / part, "[!.]*.arrow"):
            if (name := str(path.relative_to(folder))) not in done.outputs:
                return f"{name} was added since it was done"
    return ""


def weights_digest(folder: Path) -> str | None:
    """Identity of the weights a run has written, as `done.json` lists them; None where it is not done."""
    try:
        done = read_done(folder)
    except FileNotFoundError:
        return None
    listed = sorted(
        (name, one.sha256)
        for name, one in done.outputs.items()
        # The card is for people.
        if name.startswith("weights/") and not name.endswith(".md")
    )
    return hashlib.sha256(repr(listed).encode()).hexdigest()


def clear(folder: Path) -> None:
    """Takes away all that a run has written, its mark of being done first."""
    (folder / "done.json").unlink(missing_ok=True)
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
    (folder / "metrics.jsonl").unlink(missing_ok=True)
    for name in (*FOLDERS, "checkpoints", "attempts"):
        shutil.rmtree(folder / name, ignore_errors=True)


def _files(folder: Path) -> Iterator[Path]:
    for name in FOLDERS:
        yield from files_below(folder / name)
    yield from (folder / name for name in FILES if is_there(folder / name))
