"""The best weights of a phase so far, beside the checkpoints that name them."""

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from hpc.files import digest, is_there, listing
from hpc.zero import Precision
from stilts.model import folder as models
from stilts.model.multitask import Model
from stilts.run.folder import RunFolder


@dataclass(kw_only=True)
class Best:
    """Which weights are the best; its state goes into checkpoints."""

    step: int = 0
    """0: none yet."""
    score: float = 0.0
    rows: list[dict[str, Any]] = field(default_factory=list)
    """Scores on the development sets, as records."""
    files: dict[str, str] = field(default_factory=dict)
    """Their files with checksums."""

    def is_beaten_by(self, score: float) -> bool:
        """Whether weights of that score are to be kept; one that is no number never beats anything."""
        return score > self.score if self.step else score == score

    def state(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def write(
    run: RunFolder,
    step: int,
    model: Model,
    weights: Mapping[str, Tensor],
    *,
    tokenizer_from: Path,
    about: str,
    precision: Precision,
) -> dict[str, str]:
    """Writes weights; returns the files with their checksums.

    Args:
        run: whose they are.
        step: that they are of.
        model: gives the shapes.
        weights: parameters by name.
        tokenizer_from: model folder whose tokenizer is carried along.
        about: lines for the model card.
        precision: of what was trained.

    Raises:
        ArithmeticError: a parameter is not finite.
    """
    broken = [name for name, one in weights.items() if not bool(one.isfinite().all())]
    if broken:
        raise ArithmeticError(f"{broken[0]} holds numbers that are not finite at step {step}")
    folder = folder_of(run, step)
    shutil.rmtree(folder, ignore_errors=True)
    models.save(model, weights, folder, tokenizer_from=tokenizer_from, about=about, precision=precision)
    return {one.name: digest(one) for one in listing(folder)}


def folder_of(run: RunFolder, step: int) -> Path:
    """Where the weights of a step lie until the phase ends."""
    return run.checkpoints / f"best-{step:08d}"


def missing(run: RunFolder, best: Best) -> str:
    """Why the weights are not there as they were written; empty where they are."""
    folder = folder_of(run, best.step)
    if best.step and not is_there(folder) and is_there(run.weights):  # killed after `put_in_place`
        folder = run.weights
    for name, sum_ in best.files.items():
        if not is_there(folder / name) or digest(folder / name) != sum_:
            return f"{folder / name} is not as it was written"
    return ""


def prune(run: RunFolder, steps: Iterable[int]) -> None:
    """Removes all weights but those of these steps."""
    kept = {folder_of(run, step) for step in steps}
    for folder in listing(run.checkpoints, "best-*"):
        if folder not in kept:
            shutil.rmtree(folder)


def put_in_place(run: RunFolder, best: Best) -> None:
    """Makes them the run's weights.

    Raises:
        ArithmeticError: there are none: no evaluation gave a number.
    """
    if not best.step:
        raise ArithmeticError("the phase ended without weights: no evaluation on the dev sets gave a number")
    folder = folder_of(run, best.step)
    if is_there(folder):
        shutil.rmtree(run.weights, ignore_errors=True)
        os.replace(folder, run.weights)
