"""How the runs of a study stand: done, running, failed and why, planned.

    python -m stilts.status [--study mini] [--runs runs] [--watch | --json]

Read off their folders, SLURM's queue and its accounting; never written.
"""

import dataclasses
import json
import sys
import time
import typing
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from hpc.command import Parser, aligned, command
from hpc.errors import Unreadable, UserError, unknown_name
from hpc.files import listing
from stilts.launching import cost
from stilts.launching.optional import resolve_optional
from stilts.launching.standings import ALARMING, Overview, Standing, State, read
from stilts.run.folder import run_folders
from stilts.run.specs import RunSpec
from stilts.study.config import Study
from stilts.study.grid import expand
from stilts.study.loading import load_study

STATES: tuple[State, ...] = typing.get_args(State)
_EVERY_SECONDS = 10.0
_EPILOG = "exit codes: 0 all well, 1 a run failed, is stuck or damaged, 2 wrong request, 3 nothing there"


@command
def main(arguments: list[str]) -> int:
    """The command line; see `--help`."""
    parser = Parser("stilts.status", "How the runs of a study stand.", epilog=_EPILOG)
    parser.add_argument("--study", metavar="NAME", help="name, or path of a TOML file (all that have runs)")
    parser.add_argument(
        "--runs", metavar="FOLDER", type=Path, default=Path("runs"), help="where runs lie (runs)"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--watch", action="store_true", help="again every 10 s, until nothing is left to come")
    how.add_argument("--json", action="store_true", help="one object a run, for programs")
    asked = parser.parse_args(arguments)
    while True:
        found = {
            name: read(asked.runs / name, planned)
            for name, planned in _studies(asked.study, asked.runs).items()
        }
        if asked.json:
            print(json.dumps({name: _as_json(overview) for name, overview in found.items()}))
        else:
            clear = "\x1b[H\x1b[2J" if asked.watch and sys.stdout.isatty() else ""
            lines = [line for name, one in found.items() for line in report(name, asked.runs / name, one)]
            print(clear + "\n".join(lines), flush=True)
        runs = [run for overview in found.values() for run in overview.runs]
        if not asked.watch or not any(run.state in ("running", "queued") for run in runs):
            return int(any(run.state in ALARMING for run in runs))
        time.sleep(_EVERY_SECONDS)


def _as_json(overview: Overview) -> list[dict[str, object]]:
    spent = cost.by_run(overview)
    return [dataclasses.asdict(run) | spent.get(run.id, {}) for run in overview.runs]


def report(name: str, root: Path, overview: Overview) -> Iterator[str]:
    """A count by stage and state, the cost, then a line for each run that is neither done nor planned."""
    standings = overview.runs
    yield f"{name}: {sum(run.state == 'done' for run in standings)} of {len(standings)} runs done, in {root}"
    shown = [state for state in STATES if any(run.state == state for run in standings)]
    counts = Counter((run.stage, run.state) for run in standings)
    stages = list(dict.fromkeys(run.stage for run in standings))
    rows = [("stage", *shown)]
    rows += [(stage, *(str(counts[stage, state] or "-") for state in shown)) for stage in stages]
    yield from aligned(rows, indent="  ")
    spent = cost.in_words(overview)
    if spent:
        yield f"  {spent}"
    active = [run for run in standings if run.state not in ("done", "planned")]
    if active:
        yield ""
        order = {state: place for place, state in enumerate(STATES)}
        ranked = sorted(active, key=lambda run: order[run.state])
        lines = [(run.state, run.id, run.detail + _where(run)) for run in ranked]
        yield from aligned(lines, indent="  ", left=3)


def _where(run: Standing) -> str:
    return f"; log {run.log}" if run.log and run.state in ("failed", "interrupted", "cancelled") else ""


def _studies(asked: str | None, runs: Path) -> dict[str, dict[str, RunSpec]]:
    """Names of the studies to show, each with the runs it asks for."""
    if asked and run_folders(runs / asked):
        return {asked: _planned(asked, runs)}
    here = [folder.name for folder in listing(runs, "[!.]*") if _has_runs(folder)]
    if asked is None:
        if not here:
            raise UserError(f"no runs in {runs}; launch first: python -m stilts.launch --grid all", code=3)
        return {name: _planned(name, runs) for name in here}
    try:
        study = load_study(asked)
    except UserError:
        if here and "/" not in asked and not asked.endswith(".toml"):
            raise unknown_name("study", asked, here, where=str(runs)) from None
        raise
    return {study.name: _expanded(study, runs)}


def _has_runs(folder: Path) -> bool:
    try:
        return bool(run_folders(folder))
    except Unreadable as error:
        print(f"stilts: {error}; it is left out", file=sys.stderr)
        return False


def _planned(name: str, runs: Path) -> dict[str, RunSpec]:
    """The runs of a study that ships; of a user's own only those are known that were launched."""
    with suppress(UserError):
        return _expanded(load_study(name), runs)
    return {}


def _expanded(study: Study, runs: Path) -> dict[str, RunSpec]:
    settled, _ = resolve_optional(study, runs / study.name)
    return {spec.id: spec for spec in expand(settled, "all")}


if __name__ == "__main__":
    sys.exit(main())
