"""One training phase: one task or a mixture, with dev evaluations, the best weights kept, and exact resume.

Reads the parent's weights, trains through DeepSpeed, writes `weights/`, and one row each into the records
`training` and `scores` (English dev).
"""

import math
import os
import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hpc import collective, ranks
from hpc.engine import Engine, Linear, parameter_groups
from hpc.files import write_json
from hpc.stopping import StopRequest
from stilts.evaluate import predict
from stilts.model import folder as models
from stilts.model.multitask import Model
from stilts.run import records
from stilts.run.folder import Progress, RunFolder
from stilts.run.provenance import code_version
from stilts.run.seeds import seed_of
from stilts.run.settings import TOKENS_PER_BATCH
from stilts.run.specs import RunSpec, TrainSpec
from stilts.train.sets import TrainingData, build, training_data_of

SKIPPED = 0.05
"""Share of a phase's updates that may be left out for gradients that are not finite; one always may."""


def train(run: RunFolder, spec: RunSpec, asked: TrainSpec) -> None:
    """Carries out a run of the stage `train`."""
    if _records(run).exists():  # killed after the last record, before `done.json`
        shutil.rmtree(run.checkpoints, ignore_errors=True)
        return
    place = ranks.setup()
    parent = run.sibling(spec.needs[0]).weights
    training_data = training_data_of(run, asked, parent)
    model = build(parent, training_data, asked, run_id=spec.id)
    trainer = Trainer(run, spec, asked, place, model, training_data, parent)
    with StopRequest() as stop:
        trainer.work(stop)
    trainer.finish()


def _records(run: RunFolder) -> Path:
    """The shard that is written when the weights are in place."""
    return run.records / "scores" / "dev.arrow"


class Trainer:
    """The state of a phase between optimizer steps."""

    def __init__(
        self,
        run: RunFolder,
        spec: RunSpec,
        asked: TrainSpec,
        place: ranks.Ranks,
        model: Model,
        training_data: TrainingData,
        parent: Path,
    ) -> None:
        settings = asked.optimisation
        self.run, self.spec, self.asked, self.place = run, spec, asked, place
        self.settings = settings
        self.model, self.training_data, self.parent = model, training_data, parent
        self.steps = training_data.order.steps(settings.epochs, at_most=settings.max_steps)
        groups = parameter_groups(
            model,
            rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            head_rate=settings.head_rate,
            heads="heads.",
        )
        schedule = Linear(steps=self.steps, warmup=int(self.steps * settings.warmup))
        self.engine = Engine(
            model,
            groups,
            zero=asked.zero,
            clip=settings.clip,
            schedule=schedule,
            epsilon=settings.epsilon,
        )
        model.touches_all_heads = asked.zero.stage == 3
        self.step, self.skipped = 0, 0
        """Updates taken, and those left out for a gradient that was not finite; each drew a batch."""
        self.tokens, self.seconds, self.cpu_seconds = 0, 0.0, 0.0
        self.flops = 0.0
        self.best: dict[str, Any] = {"step": 0, "score": -math.inf, "scores": []}
        self.evaluations_since_best = 0

    def work(self, stop: StopRequest) -> None:
        """Trains to the last step, or until the development score has stopped rising.

        Raises:
            Stopped: a signal came; the state is saved.
            ArithmeticError: the loss is no longer a number, or too many gradients were not.
        """
        self._resume()
        progress = Progress(self.run, total=self.steps, unit="steps", writes=self.place.first)
        clock, cpu = time.perf_counter(), time.process_time()
        while self.step < self.steps and self.evaluations_since_best < self.settings.patience:
            loss, taken = self._one_step()
            self.seconds += time.perf_counter() - clock
            self.cpu_seconds += time.process_time() - cpu
            clock, cpu = time.perf_counter(), time.process_time()
            progress.at(self.step, f"loss {loss:.3f}")
            if taken and (self.step % self.settings.evaluate_every == 0 or self.step == self.steps):
                self._evaluate_dev()
            if stop.agreed() != "go on":
                self._save()
                stop.leave()
            if taken and self.step % self.settings.save_every == 0 and self.step < self.steps:
                self._save()

    def finish(self) -> None:
        """Moves the best weights into place and writes the records."""
        if not self.place.first:
            return
        shares = self.training_data.order.report(self.step + self.skipped)
        write_json(self.run.mixture, {task: asdict(share) for task, share in shares.items()})
        best = self._best_folder(self.best["step"])
        if best.exists():
            shutil.rmtree(self.run.weights, ignore_errors=True)
            os.replace(best, self.run.weights)
        asked, engine = self.asked, self.engine
        common = {
            "run_id": self.spec.id,
            "regime": asked.regime,
            "intermediate": asked.intermediate,
            "seed": asked.seed,
        }
        on_gpu = engine.device.type == "cuda"
        cost = {
            "stage": asked.phase,
            "tasks": ",".join(asked.tasks),
            "targets": ",".join(asked.targets),
            "device_class": engine.device.type,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "gpu_seconds": self.seconds * self.place.world_size if on_gpu else None,
            "steps": self.step,
            "skipped": self.skipped,
            "tokens": self.tokens,
            "flops_model": self.flops,
            "world_size": self.place.world_size,
            "parent_run_id": self.spec.needs[0],
        }
        records.write_shard(self.run.records / "training", "training", [common | cost], name="training")
        scores = [common | {"study": self.spec.study} | row for row in self.best["scores"]]
        records.write_shard(_records(self.run).parent, "scores", scores, name=_records(self.run).stem)
        shutil.rmtree(self.run.checkpoints, ignore_errors=True)

    def _one_step(self) -> tuple[float, bool]:
        """Draws a batch and learns from it; returns its loss over all ranks, and whether anything moved.

        Raises:
            ArithmeticError: on all ranks, before anything moved, where the loss of one is not finite.
        """
        place, drawn = self.place, self.step + self.skipped
        name, rows = self.training_data.order.draw(drawn)
        stream = self.training_data.streams[name]
        mine = rows[place.rank :: place.world_size]
        # Fewer items than ranks: an idle rank repeats one item at no weight, so that every rank takes part.
        raw = stream.batch(mine if len(mine) else rows[:1], step=drawn)
        batch = predict.to_batch(raw, self.engine.device)
        self.model.train()
        # Dropout follows from the draw and the rank alone: a resumed run needs no state of the generators.
        torch.manual_seed(seed_of(self.asked.seed, self.spec.id, "dropout", drawn, place.rank))
        summed = self.model.summed_loss(stream.head, self.engine(stream.head, batch), batch) * bool(len(mine))
        count = self.model.count(stream.head, batch) * bool(len(mine))
        of_ranks = collective.every(torch.stack((summed.detach().float(), count.float())))
        total, counted = of_ranks.sum(0).tolist()
        loss = total / max(counted, 1.0)
        if not math.isfinite(loss):
            places = [rank for rank, (value, _) in enumerate(of_ranks.tolist()) if not math.isfinite(value)]
            on = f" on rank {', '.join(map(str, places))}" if place.world_size > 1 else ""
            raise ArithmeticError(
                f"the loss is {loss} at step {self.step + 1}{on}; lower learning_rate or raise warmup"
            )
        update = self.engine.step(summed * (place.world_size / max(counted, 1.0)))
        self.tokens += int(stream.encoded.num_tokens[rows].sum())
        self.flops += 3 * self.model.encoder.config.forward_flops(batch.packed.lengths) * place.world_size
        if update.taken:
            self.step += 1
        else:
            self._skip(update.norm)
        return loss, update.taken

    def _skip(self, norm: float) -> None:
        """Counts an update that was left out.

        Raises:
            ArithmeticError: too many were.
        """
        self.skipped += 1
        allowed = max(1, int(SKIPPED * self.steps))
        if self.skipped > allowed:
            raise ArithmeticError(
                f"{self.skipped} gradients were not finite (norm {norm}) by step {self.step + 1} of "
                f"{self.steps}, {allowed} may be: lower learning_rate or raise warmup, or train in fp32"
            )

    def _evaluate_dev(self) -> None:
        """Scores the English development sets and keeps the weights when their mean is the best so far."""
        self.model.eval()
        rows = []
        means = []
        tokens = 4 * (self.settings.tokens_per_batch or TOKENS_PER_BATCH)
        for name, one in self.training_data.sets.items():
            scored = predict.answer(self.model, name, one.task, one.dev, tokens_per_batch=tokens).scored
            means.append(np.mean(list(scored.values.values())))
            for metric, value in scored.values.items():
                rows.append(
                    {
                        "target": name,
                        "language": "en",
                        "split": "dev",
                        "metric": metric,
                        "value": value,
                        "n": len(one.dev.examples),
                        "n_full": one.dev.num_full,
                        "data": one.dev.version,
                        "code": code_version(),
                    }
                )
        # Rank 0 decides: ranks that round differently would part ways at what follows.
        score = collective.of_first(float(np.mean(means)))
        self.evaluations_since_best += 1
        if score > self.best["score"]:
            self.evaluations_since_best = 0
            self.best = {"step": self.step, "score": score, "scores": rows}
            self._keep()

    def _keep(self) -> None:
        state = self.engine.weights()
        if self.place.first:
            folder = self._best_folder(self.step)
            shutil.rmtree(folder, ignore_errors=True)
            path, tasks = self.run.path, ", ".join(self.asked.tasks)
            about = f"Run `{path.name}` of the study `{path.parent.name}`, trained on {tasks}."
            models.save(self.model, state, folder, tokenizer_from=self.parent, about=about)

    def _best_folder(self, step: int) -> Path:
        return self.run.checkpoints / f"best-{step:08d}"

    def _save(self) -> None:
        state = {
            "step": self.step,
            "skipped": self.skipped,
            "tokens": self.tokens,
            "flops": self.flops,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "best": self.best,
            "evaluations_since_best": self.evaluations_since_best,
        }
        self.engine.save(self.run.checkpoints, self.step, state=state)
        if self.place.first:
            for folder in self.run.checkpoints.glob("best-*"):
                if folder != self._best_folder(self.best["step"]):
                    shutil.rmtree(folder)

    def _resume(self) -> None:
        state = self.engine.resume(self.run.checkpoints)
        if state is None:
            return
        for name, value in state.items():
            setattr(self, name, value)
