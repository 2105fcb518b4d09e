"""Runs whose data have changed since they read them."""

from collections.abc import Iterable, Mapping
from functools import cache

from hpc.errors import UserError
from stilts import tasks
from stilts.data.sources import choose
from stilts.run.data_log import read_data, short
from stilts.run.folder import RunFolder
from stilts.run.specs import RunSpec


def stale_runs(runs: Iterable[tuple[RunSpec, RunFolder]]) -> dict[str, str]:
    """Why runs rest on data that are no longer there, by run.

    Args:
        runs: parents first; a run is as stale as what it starts from.

    Returns:
        The changed sets with both versions. A set that no source has at present cannot be judged.
    """
    found: dict[str, str] = {}
    for spec, folder in runs:
        inherited = [found[need] for need in spec.needs if need in found]
        changes = list(_changes(folder, spec.asked.sources))
        if changes:
            more = f" and {len(changes) - 2} more" if len(changes) > 2 else ""
            found[spec.id] = ", ".join(changes[:2]) + more
        elif inherited:
            found[spec.id] = inherited[0]
    return found


def _changes(folder: RunFolder, sources: tuple[str, ...]) -> Iterable[str]:
    try:
        versions: Mapping[str, str] = read_data(folder.data)
    except UserError:  # told as damage
        return
    for name, version in versions.items():
        now = _version_now(name, sources)
        if now not in (None, version):
            yield f"{name} {short(version)} -> {short(str(now))}"


@cache
def _version_now(name: str, sources: tuple[str, ...]) -> str | None:
    """What would be read today; None when that cannot be told."""
    task, language, split = name.split("/")
    try:
        chosen = choose(tasks.load(task), language=language, split=split, sources=sources)
    except UserError:
        return None
    return f"{chosen.name} {chosen.version}"
