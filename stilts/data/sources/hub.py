"""The Hugging Face Hub: files at a pinned revision, read as data; nothing that a repository brings is run.

Files are fetched once into Hugging Face's own cache (HF_HOME) and read from there without asking again. A ref
that moves is taken for the commit it stood for when its first file was fetched. A machine without internet
needs the cache filled, or a folder made by `python -m stilts data stage`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from hpc.errors import UserError
from hpc.files import matching
from stilts.data.formats import Record
from stilts.data.sources._files import Found, missing_shard, rows_of, size_of
from stilts.tasks import HubFiles, Task

_KIND = "dataset"
_ADVICE = (
    "where there is internet, run `stilts data stage --study NAME --output FOLDER`, then set STILTS_DATA"
)

_silent: dict[str, str] = {}
"""Endpoints that did not answer, and why: asked once a process, since every try may take a minute."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteFile:
    """A file of a repository at a commit."""

    repo: str
    ref: str
    """The revision the task names: a commit, or a ref."""
    revision: str
    """The commit."""
    path: str
    part: str
    format: str
    num_bytes: int | None
    sha256: str | None
    """Known for large files."""
    staged: str
    """Path below a staged folder."""


def version(task: Task, *, language: str, split: str) -> str:
    """Repositories and commits."""
    files = remote_files(task, language=language, split=split)
    return ", ".join(dict.fromkeys(f"{file.repo}@{file.revision}" for file in files))


def rows(task: Task, *, language: str, split: str, limit: int | None, seed: int) -> Iterator[Record]:  # noqa: ARG001
    """Rows of the files, which are fetched when they are not in the cache."""
    found = _fetched(remote_files(task, language=language, split=split))
    return rows_of(found, task, language=language, limit=limit)


def labels(task: Task) -> None:  # noqa: ARG001
    """Not known without reading."""
    return


def size(task: Task, *, language: str, split: str) -> int | None:
    """Rows of parquet files that hold one language only; None for all else, which would have to be read."""
    return size_of(_fetched(remote_files(task, language=language, split=split)), task)


def remote_files(task: Task, *, language: str, split: str) -> tuple[RemoteFile, ...]:
    """The files that make up a set, from the cache when it has all of a repository's, else from the Hub.

    Raises:
        UserError: the set is not on the Hub, the Hub cannot be reached or lacks a file (code 3).
    """
    found: list[RemoteFile] = []
    for files in task.hub:
        for pattern in files.patterns(language=language, split=split):
            found += _cached(task, files, pattern) or _listed(task, files, pattern)
    if not found:
        advice = f". {task.absence}" if task.absence else ""
        raise UserError(f"the Hub has no {task.name} {language} {split}{advice}", code=3)
    return tuple(found)


def fetch(file: RemoteFile) -> Path:
    """The file in Hugging Face's cache, downloaded when it is not there; a broken download goes on.

    Raises:
        UserError: it cannot be downloaded, or the ref moved meanwhile.
    """
    from huggingface_hub import hf_hub_download, try_to_load_from_cache

    there = try_to_load_from_cache(file.repo, file.path, revision=file.revision, repo_type=_KIND)
    if isinstance(there, str):
        return Path(there)
    # By its ref as long as the cache has none: that is how the cache learns what it stands for.
    revision = file.revision if _commit_in_cache(file.repo, file.ref) else file.ref
    _expect_answers(file.repo)
    try:
        path = Path(hf_hub_download(file.repo, file.path, revision=revision, repo_type=_KIND))
    except _failures() as error:
        raise _problem(file.repo, error) from error
    if _commit_in_cache(file.repo, file.ref) != file.revision:
        raise UserError(f"{file.repo}: {file.ref} moved while it was being fetched; run again", code=3)
    return path


def _fetched(files: Sequence[RemoteFile]) -> list[Found]:
    return [Found(part=file.part, format=file.format, paths=(fetch(file),), options={}) for file in files]


def _cached(task: Task, files: HubFiles, pattern: str) -> list[RemoteFile]:
    """Files of the cache that match, if none is missing."""
    commit = _commit_in_cache(files.repo, files.revision)
    if commit is None:
        return []
    snapshot = _cache_of(files.repo) / "snapshots" / commit
    names = sorted(str(path.relative_to(snapshot)) for path in matching(snapshot, pattern))
    if not names or missing_shard([PurePosixPath(name).name for name in names]):
        return []
    return [_remote(task, files, commit, name) for name in names]


def _listed(task: Task, files: HubFiles, pattern: str) -> list[RemoteFile]:
    """Files of the Hub that match."""
    commit = _commit_in_cache(files.repo, files.revision) or _commit_on_hub(files.repo, files.revision)
    folder = str(PurePosixPath(pattern).parent)
    entries = _tree(files.repo, commit, folder)
    found = {path: entry for path, entry in entries.items() if fnmatchcase(path, pattern)}
    where = f"{files.repo} at {commit[:12]}"
    if not found:
        there = ", ".join(sorted(entries)[:8]) or "nothing"
        raise UserError(f"{where} has no {pattern}; there is {there}", code=3)
    shard = missing_shard([PurePosixPath(path).name for path in found])
    if shard is not None:
        raise UserError(f"{where} lacks {folder}/{shard}", code=3)
    return [_remote(task, files, commit, path, entry) for path, entry in sorted(found.items())]


def _remote(task: Task, files: HubFiles, commit: str, path: str, entry: Any = None) -> RemoteFile:
    large = getattr(entry, "lfs", None)
    return RemoteFile(
        repo=files.repo,
        ref=files.revision,
        revision=commit,
        path=path,
        part=files.part,
        format=files.format,
        num_bytes=getattr(entry, "size", None),
        sha256=large.sha256 if large else None,
        staged="/".join(filter(None, (task.name, files.part, path))),
    )


def _cache_of(repo: str) -> Path:
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    return Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repo, repo_type=_KIND)


def _commit_in_cache(repo: str, ref: str) -> str | None:
    """The commit a ref stood for when it was first fetched; a commit stands for itself."""
    if len(ref) == 40 and not set(ref) - set("0123456789abcdef"):
        return ref
    path = _cache_of(repo) / "refs" / ref
    return path.read_text(encoding="utf-8").strip() if path.is_file() else None


def _commit_on_hub(repo: str, ref: str) -> str:
    from huggingface_hub import HfApi

    _expect_answers(repo)
    try:
        commit = HfApi().dataset_info(repo, revision=ref).sha
    except _failures() as error:
        raise _problem(repo, error) from error
    assert commit is not None, "the Hub names the commit of every revision"
    return commit


@cache
def _tree(repo: str, commit: str, folder: str) -> dict[str, Any]:
    """Files of a folder, by path."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import EntryNotFoundError
    from huggingface_hub.hf_api import RepoFile

    _expect_answers(repo)
    try:
        tree = HfApi().list_repo_tree(repo, folder, revision=commit, repo_type=_KIND)
        return {entry.path: entry for entry in tree if isinstance(entry, RepoFile)}
    except EntryNotFoundError:
        return {}
    except _failures() as error:
        raise _problem(repo, error) from error


def _failures() -> tuple[type[Exception], ...]:
    """What huggingface_hub raises when a repository or the network is not there."""
    from huggingface_hub.errors import EntryNotFoundError, HTTPError

    return (OSError, HTTPError, EntryNotFoundError)


def _expect_answers(repo: str) -> None:
    from huggingface_hub import constants

    if constants.ENDPOINT in _silent:
        raise _unreachable(repo)


def _problem(repo: str, error: Exception) -> UserError:
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError

    reason = str(error).strip().partition("\n")[0] or type(error).__name__
    if isinstance(error, HfHubHTTPError):
        return UserError(f"the Hub refuses {repo}: {reason}", code=3)
    if isinstance(error, OSError) and error.errno is not None:
        return UserError(f"a file of {repo} cannot be stored in {_cache_of(repo)}: {error.strerror}", code=3)
    _silent[constants.ENDPOINT] = reason
    return _unreachable(repo)


def _unreachable(repo: str) -> UserError:
    from huggingface_hub import constants

    reason = _silent[constants.ENDPOINT]
    return UserError(f"the Hub cannot be reached for {repo} ({reason}); {_ADVICE}", code=3)
