"""A mirror of what a study reads from the Hub, for compute nodes without internet.

Files lie at <task>/[<part>/]<path on the Hub>, where the `folder` source finds them, and `manifest.json` has
the digest, size, repository, commit and path of each. It is written anew after every file, and files appear
by a rename: after a kill the same call goes on with what is missing or differs from its digest.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from glob import escape
from pathlib import Path
from typing import Literal

from hpc.errors import UserError
from hpc.files import Held, listing, lock, replacing, write_json
from stilts.corpora.manifest import MANIFEST, Entry, digest, read_manifest, unread
from stilts.corpora.required import RequiredSet
from stilts.data.sources import hub
from stilts.data.sources.hub import RemoteFile

_LOCK = ".staging.lock"
_STEP = 1 << 20
_SHA256_DIGITS = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class MissingSet:
    """Sets that cannot be fetched from the Hub."""

    needs: tuple[RequiredSet, ...]
    reason: str

    @property
    def optional(self) -> bool:
        """The study goes on without them."""
        return all(need.optional for need in self.needs)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What there is to stage."""

    files: Mapping[str, RemoteFile]
    """By path below the folder."""
    lacks: tuple[MissingSet, ...]
    own: tuple[RequiredSet, ...]
    """Sets that lie in the folder already and did not come from the Hub."""

    @property
    def num_bytes(self) -> int:
        """As far as it is known before anything is fetched."""
        return sum(file.num_bytes or 0 for file in self.files.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What became of one file."""

    place: str
    """Path below the folder."""
    what: Literal["there", "fetched"]
    num_bytes: int
    number: int
    """Counted from 1, of `total`."""
    total: int
    bytes_done: int
    bytes_total: int


def plan(needs: Sequence[RequiredSet], folder: Path, tell: Callable[[int], None] = lambda _: None) -> Plan:
    """Finds the files on the Hub; what it has not, or does not hand out, is looked for in the folder.

    Args:
        needs: the sets.
        folder: where they are to lie.
        tell: told the number of sets looked up so far.
    """
    files: dict[str, RemoteFile] = {}
    lacks: dict[tuple[str, str], list[RequiredSet]] = {}
    own = []
    refused: dict[str, str] = {}
    for number, need in enumerate(needs, start=1):
        tell(number)
        repos = _repos(need)
        reason = next((refused[repo] for repo in repos if repo in refused), "")
        if not reason:
            try:
                found = hub.remote_files(need.task, language=need.language, split=need.split)
            except UserError as problem:
                reason = str(problem)
                refused |= {repo: reason for repo in repos if repo in reason and "reached" in reason}
            else:
                files |= {file.staged: file for file in found}
                continue
        if _lies_in(folder, need):
            own.append(need)
        else:
            reason = need.task.absence or reason if not repos else reason
            lacks.setdefault((need.task.name, reason), []).append(need)
    listed = tuple(MissingSet(needs=tuple(some), reason=reason) for (_, reason), some in lacks.items())
    return Plan(files=files, lacks=listed, own=tuple(own))


def stage(files: Mapping[str, RemoteFile], folder: Path, say: Callable[[Step], None]) -> list[Step]:
    """Brings the files into the folder, whatever is there already.

    Args:
        files: by path below the folder.
        folder: the mirror; only one process works in it.
        say: told after each file.

    Raises:
        UserError: another process is at work in it, too little space, a file cannot be fetched or is not what
            the Hub announces.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        entries = dict((manifest := read_manifest(folder)).files)
        there = {
            place for place, file in files.items() if _is_there(folder / place, entries.get(place), file)
        }
        _sweep(folder, files)
        _check_space(folder, [file for place, file in files.items() if place not in there])
        sizes = {place: file.num_bytes or 0 for place, file in files.items()}
        sizes |= {place: entries[place].bytes for place in there}
        steps, done = [], 0
        # First what is there, so that the count of bytes says at once where an earlier call stopped.
        for number, place in enumerate(sorted(files, key=lambda place: (place not in there, place)), start=1):
            if place not in there:
                entries[place] = _bring(files[place], folder / place)
                write_json(folder / MANIFEST, {"files": _plain(entries), "extent": manifest.extent})
            size = entries[place].bytes
            done += size
            sizes[place] = size
            steps.append(
                Step(
                    place=place,
                    what="there" if place in there else "fetched",
                    num_bytes=size,
                    number=number,
                    total=len(files),
                    bytes_done=done,
                    bytes_total=sum(sizes.values()),
                )
            )
            say(steps[-1])
    return steps


def _repos(need: RequiredSet) -> list[str]:
    """Repositories that have the set, whole or in part."""
    return [files.repo for files in need.task.hub if files.patterns(language=need.language, split=need.split)]


def _lies_in(folder: Path, need: RequiredSet) -> bool:
    return folder.is_dir() and not unread([need], folder)


def _is_there(path: Path, entry: Entry | None, file: RemoteFile) -> bool:
    """Whether the mirror has the file at this commit, byte for byte."""
    if entry is None or not path.is_file() or path.stat().st_size != entry.bytes:
        return False
    same = (entry.repo, entry.revision, entry.path) == (file.repo, file.revision, file.path)
    return same and digest(path) == entry.sha256


def _bring(file: RemoteFile, target: Path) -> Entry:
    """Copies a file out of Hugging Face's cache; a damaged one there is thrown away and fetched anew."""
    cached = hub.fetch(file)
    if not _is_whole(cached, file):
        cached.resolve().unlink()
        cached.unlink(missing_ok=True)
        cached = hub.fetch(file)
        if not _is_whole(cached, file):
            raise UserError(
                f"{file.repo} at {file.revision[:12]}: {file.path} arrives damaged; try again", code=1
            )
    with replacing(target) as temporary:
        shutil.copyfile(cached, temporary)
    return Entry(
        sha256=digest(target),
        bytes=target.stat().st_size,
        repo=file.repo,
        revision=file.revision,
        path=file.path,
    )


def _is_whole(cached: Path, file: RemoteFile) -> bool:
    """Whether it has the announced size and digest; the cache calls large files by theirs."""
    blob = cached.resolve()
    named = blob.name if len(blob.name) == _SHA256_DIGITS else None
    if file.num_bytes not in (None, blob.stat().st_size):
        return False
    wanted = file.sha256 or named
    return wanted is None or digest(blob) == wanted


def _sweep(folder: Path, files: Mapping[str, RemoteFile]) -> None:
    """Removes what a killed process left half-written; whoever holds the lock is alone here."""
    for target in [folder / MANIFEST, *(folder / place for place in files)]:
        for litter in listing(target.parent, f".{escape(target.name)}.????????"):
            litter.unlink(missing_ok=True)


def _check_space(folder: Path, missing: Sequence[RemoteFile]) -> None:
    needed, free = sum(file.num_bytes or 0 for file in missing), shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(f"{folder} has {free / 1e9:.1f} GB free, {needed / 1e9:.1f} GB are needed", code=1)


def _plain(entries: Mapping[str, Entry]) -> dict[str, dict[str, object]]:
    return {place: asdict(entry) for place, entry in entries.items()}


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Refuses to work beside another process."""
    try:
        with lock(folder / _LOCK):
            yield
    except Held as held:
        raise UserError(f"another process ({held}) is staging into {folder}: wait for it", code=1) from None
