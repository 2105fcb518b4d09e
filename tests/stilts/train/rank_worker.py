"""One rank that trains several phases in several ways, one after the other, and writes the losses.

rank_worker.py FOLDER OUT STEPS WAYS [PLANT]     FOLDER holds a study's runs, of which `model` is done
WAYS: STAGE/RUN/BATCHES/PASSES,...
"""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import torch

from hpc import ranks
from hpc.ending import Ending
from hpc.zero import Zero
from stilts.run.folder import RunFolder
from stilts.train.loop import Trainer
from stilts.train.sets import build, training_data_of


def phase(folder: Path, run_id: str, *, stage, steps: int, batches: str = "tokens", passes: int = 1):
    """A run, what it asks without dropout, its data and its model."""
    run = RunFolder(folder / run_id)
    spec = run.read_spec()
    size = {"tokens_per_batch": 128, "examples_per_batch": None}
    if batches == "examples":
        size = {"tokens_per_batch": None, "examples_per_batch": 5}
    settings = replace(
        spec.asked.optimisation, dropout=0.0, max_steps=steps, epochs=50.0, frozen=(), warmup=0.2, **size
    )
    zero = Zero(stage=stage, precision="fp32", tokens_per_pass=None if passes == 1 else 128 // passes)
    asked = replace(spec.asked, optimisation=settings, zero=zero)
    parent = folder / "model" / "weights"
    training_data = training_data_of(run, asked, parent)
    return run, spec, asked, parent, training_data, build(parent, training_data, asked, run_id=run_id)


def plant(trainer: Trainer, what: str) -> None:
    """A gradient that is not finite at the fifth draw (`inf`) or at all (`always`), or a loss (`nan`)."""
    plain = trainer.learner.model.summed_loss
    drawn = [0]

    def summed_loss(head, scores, batch):
        drawn[0] += 1
        value = plain(head, scores, batch)
        bias = trainer.learner.model.encoder.norm.bias
        if what == "nan" and drawn[0] == 5 and trainer.place.rank == trainer.place.world_size - 1:
            return value * float("nan")
        if what == "always" or (what == "inf" and drawn[0] == 5):
            return value + (bias.abs() * 0).sqrt().sum()
        return value

    trainer.learner.model.summed_loss = summed_loss


def train(folder: Path, run_id: str, *, stage, steps: int, planted: str, **how) -> dict:
    run, spec, asked, parent, training_data, model = phase(folder, run_id, stage=stage, steps=steps, **how)
    trainer = Trainer(run, spec, asked, ranks.setup(), model, training_data, parent)
    learner = trainer.learner
    plant(trainer, planted)
    taken = []
    while trainer.step < steps:
        learner.learn(learner.prepared.prepare(learner.totals.drawn))
        moved = bool(learner.settle().moved)
        taken.append(moved)
        if trainer.step == steps // 2 and moved:
            trainer.evaluate_dev()
    return {"losses": learner.losses, "taken": taken, "rate": learner.engine.rate()}


def main() -> None:
    folder, out, steps = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    planted = sys.argv[5] if len(sys.argv) > 5 else ""
    torch.set_num_threads(1)
    found = {}
    for word in sys.argv[4].split(","):
        stage, run_id, batches, passes = word.split("/")
        try:
            found[word] = train(
                folder,
                run_id,
                stage=stage if stage == "auto" else int(stage),
                steps=steps,
                planted=planted,
                batches=batches,
                passes=int(passes),
            )
        except ArithmeticError as error:
            found[word] = {"error": str(error)}
    out.with_name(f"{out.name}.{os.environ['RANK']}").write_text(json.dumps(found), encoding="utf-8")
    if torch.distributed.is_initialized():
        torch.distributed.barrier()


if __name__ == "__main__":
    ending = Ending()
    main()
    ending.code = 0
