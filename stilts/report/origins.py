"""What runs came about on: devices, code and torch, by the attempts that had a part in them.

Of an attempt that was gone on from, the steps are in the result; of any other only its last one is.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hpc.errors import UserError
from hpc.files import read_json_lines
from stilts.report.evidence import Evidence
from stilts.run import ledger
from stilts.run.folder import RunFolder


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Of one attempt."""

    device: str
    torch: str
    label: str
    """Of the code: commit and changes, or the version where it does not run from a checkout."""
    digest: str = ""
    """Of the code's files; empty in older records."""


Kinds = dict[str, set[str]]
"""Devices, code versions and torch versions."""


def of(evidence: Evidence, runs: Iterable[str]) -> Kinds:
    """All that these runs came about on.

    Args:
        evidence: of the study.
        runs: by id; runs without any sign of an attempt are left out.
    """
    found = [origin for run in runs for origin in _of_run(evidence, run)]
    # By its files where a name stands for several versions of them.
    digests: dict[str, set[str]] = defaultdict(set)
    for one in found:
        digests[one.label].add(one.digest)
    return {
        "devices": {one.device for one in found if one.device},
        "code versions": {
            one.label + f" (files {one.digest[:8] or 'unknown'})" * (len(digests[one.label]) > 1)
            for one in found
        },
        "torch versions": {one.torch for one in found if one.torch},
    }


def mixed(evidence: Evidence, runs: Iterable[str], behind: Iterable[str]) -> dict[str, set[str]]:
    """Kinds of which there is more than one where there should not be.

    Args:
        evidence: of the study.
        runs: that numbers are read from.
        behind: those and all they were made from. What was trained may have been so elsewhere than it is
            evaluated, but by one code and one torch, or regimes would differ in more than their name.
    """
    found = of(evidence, runs)
    stages: dict[str, list[str]] = defaultdict(list)
    for run in behind:
        if run in evidence.plan:
            stages[evidence.plan[run].stage].append(run)
    for together in stages.values():
        for what, values in of(evidence, together).items():
            if what != "devices" and len(values) > 1:
                found[what] |= values
    return {what: values for what, values in found.items() if len(values) > 1}


def _of_run(evidence: Evidence, run: str) -> list[Origin]:
    kept: dict[str, list[Origin]] = evidence.shared.setdefault(("origins",), {})
    if run not in kept:
        kept[run] = list(_read(evidence, RunFolder(evidence.folder / run)))
    return kept[run]


def _read(evidence: Evidence, run: RunFolder) -> Iterable[Origin]:
    try:
        attempts = _with_a_part(run)
    except UserError:
        yield _unknown(f"the provenance of {run.id} is damaged")
        return
    if not attempts and evidence.is_whole(run.id):
        yield _unknown(f"{run.id} has no provenance")
    for one in attempts:
        git, versions = one.get("git") or {}, one.get("versions") or {}
        changed = git.get("diff", "")[:8]
        label = git.get("sha", "")[:12] + f" with changes {changed}" * bool(changed)
        yield Origin(
            device=(one.get("gpus") or [one.get("cpu") or "unknown"])[0],
            torch=versions.get("torch", ""),
            label=label or versions.get("stilts") or "unknown",
            digest=one.get("code", ""),
        )
    told = {row["code"] for row in evidence.scores.get(run.id, ()) if row["code"]}
    for label in told if len(told) > 1 else ():
        yield Origin(device="", torch="", label=label)


def _unknown(reason: str) -> Origin:
    return Origin(device="", torch="", label=f"unknown, since {reason}")


def _with_a_part(run: RunFolder) -> list[dict[str, Any]]:
    """What the last attempt told, and those whose steps it went on from.

    Raises:
        UserError: it cannot be read.
    """
    found = []
    told, spent = read_json_lines(run.provenance), ledger.read(run.attempts)
    resumed = [attempt.resumed > 0 for attempt in spent]
    for line in reversed(told):
        found.append(line)
        if not resumed or not resumed.pop():
            break
    return found
