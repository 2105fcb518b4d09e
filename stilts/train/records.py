"""What a phase leaves for the report: one row of cost, and the scores on its development sets."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stilts.run import ledger, records
from stilts.run.folder import RunFolder
from stilts.run.specs import RunSpec, TrainSpec
from stilts.train.best import Best
from stilts.train.learner import Learner


def shard(run: RunFolder) -> Path:
    """The last shard, which is written when the weights are in place."""
    return run.records / "scores" / "dev.arrow"


def steps_of(run: RunFolder) -> int:
    """Updates that a training run which is done has taken."""
    (row,) = records.read("training", [run.records / "training"]).to_pylist()
    return int(row["steps"])


def write(
    run: RunFolder, spec: RunSpec, asked: TrainSpec, learner: Learner, best: Best, *, undrawn: Sequence[str]
) -> None:
    """Writes the records of a phase that ended.

    Args:
        run: where to.
        spec: the run.
        asked: what it was asked.
        learner: its last state.
        best: the weights that were kept.
        undrawn: heads that no step has trained.
    """
    common: dict[str, Any] = {
        "run_id": spec.id,
        "regime": asked.regime,
        "intermediate": asked.intermediate,
        "seed": asked.seed,
    }
    spent, totals, health = ledger.spent(run.attempts), learner.totals, learner.health
    cost = {
        "stage": asked.phase,
        "tasks": ",".join(asked.tasks),
        "targets": ",".join(asked.targets),
        "device_class": learner.engine.device.type,
        "engine": learner.engine.name,
        "precision": asked.zero.precision,
        "steps": totals.step,
        "skipped": health.skipped,
        "notes": "; ".join(health.notes(undrawn)),
        "tokens": totals.tokens,
        "flops_model": totals.flops,
        "flops_hardware": totals.flops_hardware,
        "peak_flops": learner.peak,
        "world_size": learner.place.world_size,
        "parent_run_id": spec.needs[0],
        "seconds": spent.seconds.get("training", 0.0) / learner.place.world_size,
        "cpu_seconds": spent.cpu_seconds,
        "gpu_seconds": spent.total if learner.on_gpu else None,
        **ledger.as_columns(spent),
    }
    records.write_shard(run.records / "training", "training", [common | cost], name="training")
    scores = [common | {"study": spec.study} | row for row in best.rows]
    records.write_shard(shard(run).parent, "scores", scores, name=shard(run).stem)
