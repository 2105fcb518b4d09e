"""Whose answers a submission holds: those of a folder, or of a regime of a study, a model a target."""

from pathlib import Path

from hpc.errors import UserError, unknown_name
from stilts.evaluate.averages import COUNTED
from stilts.evaluate.scoring import StoredPredictions, stored_in
from stilts.report.evidence import Evidence


def of_folder(path: Path) -> list[StoredPredictions]:
    """Answers to XTREME's targets in the folder of an evaluation, or of a run of a grid.

    Raises:
        UserError: the folder holds none.
    """
    return [stored for stored in stored_in(path) if stored.task.name in COUNTED]


def of_regime(evidence: Evidence, regime: str, *, seed: int) -> list[StoredPredictions]:
    """Answers of a row of the tables: each target by the run that answers it there.

    Args:
        evidence: of the study.
        regime: a row, such as `direct`, `single/mnli`, `best` or `joint`.
        seed: one of the study's.

    Raises:
        UserError: no such row or seed, nothing chosen for `best` yet, or a run that is not done (code 3).
    """
    rows = dict.fromkeys(row for row, _, _ in evidence.answers) | dict.fromkeys(evidence.rows(["best"]))
    if regime not in rows:
        raise unknown_name("regime", regime, rows, where=f"study {evidence.study.name}")
    if seed not in evidence.seeds:
        raise unknown_name("seed", str(seed), map(str, evidence.seeds), where=f"study {evidence.study.name}")
    found: list[StoredPredictions] = []
    for task in evidence.targets:
        row = evidence.resolve(regime, task.name)
        answer = evidence.answers.get((row, seed, task.name)) if row else None
        if answer is None and regime == "best":
            raise UserError(
                f"{regime}: none is chosen for {task.name}: its dev scores are not all there", code=3
            )
        if answer is None or task.name not in COUNTED:
            continue
        if answer.evaluation in evidence.damaged:
            raise UserError(f"{answer.evaluation}: {evidence.damaged[answer.evaluation]}", code=3)
        stored = stored_in(evidence.folder / answer.evaluation)
        found += [one for one in stored if one.task.name == task.name]
    return found
