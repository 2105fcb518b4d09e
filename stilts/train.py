"""One training phase: one task or a mixture, with dev looks, the best weights kept, and exact resume.

Reads the parent's weights, trains through DeepSpeed, writes `weights/`, and one row each into the records
`training` and `scores` (English dev).
"""

import math
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hpc import ranks
from hpc.engine import Engine, Linear, parameter_groups
from hpc.stopping import StopRequest
from hpc.zero import Zero
from stilts import data, model as models, predict, records, tasks
from stilts.config import Optimisation
from stilts.data import Encoded
from stilts.decode import decode
from stilts.mixing import Mixture
from stilts.model import HeadSpec, Model
from stilts.runs import Progress, RunFolder, RunSpec
from stilts.tasks import Task


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingSet:
    """A task's English training and development sets."""

    task: Task
    train: Encoded
    dev: Encoded


def train(run: RunFolder, spec: RunSpec) -> None:
    """Carries out a run of kind `train`."""
    asked = spec.fields
    if _records(run).exists():  # killed after the last record, before `done.json`
        shutil.rmtree(run.checkpoints, ignore_errors=True)
        return
    settings: Optimisation = decode(Optimisation, dict(asked["optimisation"]), spec.id)
    place = ranks.setup()
    parent = run.sibling(spec.needs[0]).weights
    sets = {name: load_sets(name, run, asked, parent) for name in asked["tasks"]}
    torch.manual_seed(asked["seed"])
    model = build(parent, sets, asked, settings)
    trainer = Trainer(run, spec, settings, place, model, sets, parent)
    with StopRequest() as stop:
        trainer.work(stop)
    trainer.finish()


def _records(run: RunFolder) -> Path:
    """The shard that is written when the weights are in place."""
    return run.records / "scores" / "dev.arrow"


def load_sets(name: str, run: RunFolder, asked: Mapping[str, Any], weights: Path) -> TrainingSet:
    """The English sets of a task, tokenised for the weights' tokenizer."""
    task = tasks.load(name)

    def read(split: str) -> Encoded:
        return data.load(
            task,
            language="en",
            split=split,
            tokenizer_file=weights / "tokenizer.json",
            max_length=task.max_length,
            sources=asked["sources"],
            limit=asked["limits"][name][split],
            cache=run.cache,
        )

    return TrainingSet(task=task, train=read("train"), dev=read("dev"))


def build(
    parent: Path, sets: Mapping[str, TrainingSet], asked: Mapping[str, Any], settings: Optimisation
) -> Model:
    """The model to train: the parent's encoder with new heads; probes keep the parent's heads beside them."""
    heads = {
        name: HeadSpec(kind=one.task.kind, labels=tuple(one.train.labels), pooling=asked["pooling"])  # type: ignore[arg-type]
        for name, one in sets.items()
    }
    loaded = models.load(parent, dropout=settings.dropout)
    if asked["regime"] == "random":
        loaded.trainable_encoder.reinitialise(asked["seed"])
    if asked["role"] == "heads":
        for parameter in loaded.parameters():
            parameter.requires_grad_(False)
        for name, head in heads.items():
            loaded.add_head(name, head, seed=asked["seed"])
        return loaded
    model = Model(loaded.encoder, heads, dropout=settings.dropout, seed=asked["seed"])
    model.freeze(settings.frozen)
    return model


class Trainer:
    """The state of a phase between optimizer steps."""

    def __init__(
        self,
        run: RunFolder,
        spec: RunSpec,
        settings: Optimisation,
        place: ranks.Ranks,
        model: Model,
        sets: Mapping[str, TrainingSet],
        parent: Path,
    ) -> None:
        self.run, self.spec, self.settings, self.place = run, spec, settings, place
        self.model, self.sets, self.parent = model, sets, parent
        self.mixture = Mixture(
            {name: one.train.num_tokens for name, one in sets.items()},
            tokens_per_batch=settings.tokens_per_batch,
            cap=spec.fields["cap"],
            seed=spec.fields["seed"],
        )
        steps = self.mixture.steps(settings.epochs)
        self.steps = min(steps, settings.max_steps or steps)
        zero = Zero(clip=settings.clip, **spec.fields["zero"])
        groups = parameter_groups(
            model,
            rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            head_rate=settings.head_rate,
            heads="heads.",
        )
        schedule = Linear(steps=self.steps, warmup=int(self.steps * settings.warmup))
        self.engine = Engine(model, groups, zero=zero, schedule=schedule, epsilon=settings.epsilon)
        self.step, self.tokens, self.seconds, self.cpu_seconds = 0, 0, 0.0, 0.0
        self.flops = 0.0
        self.best: dict[str, Any] = {"step": 0, "score": -math.inf, "scores": []}
        self.looks_since_best = 0

    def work(self, stop: StopRequest) -> None:
        """Trains to the last step, or until the development score has stopped rising.

        Raises:
            Stopped: a signal came; the state is saved.
            ArithmeticError: the loss is no longer a number.
        """
        self._resume()
        progress = Progress(self.run, total=self.steps, unit="steps")
        clock, cpu = time.perf_counter(), time.process_time()
        while self.step < self.steps and self.looks_since_best < self.settings.patience:
            loss = self._one_step()
            self.seconds += time.perf_counter() - clock
            self.cpu_seconds += time.process_time() - cpu
            clock, cpu = time.perf_counter(), time.process_time()
            if not math.isfinite(loss):
                raise ArithmeticError(
                    f"the loss is {loss} at step {self.step}; lower learning_rate or raise warmup"
                )
            progress.at(self.step, f"loss {loss:.3f}")
            if self.step % self.settings.evaluate_every == 0 or self.step == self.steps:
                self._look()
            if stop.agreed() != "go on":
                self._save()
                stop.leave()
            if self.step % self.settings.save_every == 0 and self.step < self.steps:
                self._save()

    def finish(self) -> None:
        """Moves the best weights into place and writes the records."""
        if not self.place.first:
            return
        best = self._best_folder(self.best["step"])
        if best.exists():
            shutil.rmtree(self.run.weights, ignore_errors=True)
            os.replace(best, self.run.weights)
        fields, engine = self.spec.fields, self.engine
        common = {name: fields[name] for name in ("regime", "intermediate", "seed")} | {
            "run_id": self.spec.id
        }
        on_gpu = engine.device.type == "cuda"
        cost = {
            "stage": fields["role"],
            "tasks": ",".join(fields["tasks"]),
            "targets": ",".join(fields["targets"]),
            "device_class": engine.device.type,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "gpu_seconds": self.seconds * self.place.world_size if on_gpu else None,
            "tokens": self.tokens,
            "flops_model": self.flops,
            "world_size": self.place.world_size,
            "parent_run_id": self.spec.needs[0],
        }
        records.write_shard(self.run.records / "training", "training", [common | cost], name="training")
        scores = [common | {"study": self.spec.study} | row for row in self.best["scores"]]
        records.write_shard(_records(self.run).parent, "scores", scores, name=_records(self.run).stem)
        shutil.rmtree(self.run.checkpoints, ignore_errors=True)

    def _one_step(self) -> float:
        name, rows = self.mixture.draw(self.step)
        mine = rows[self.place.rank :: self.place.world_size]
        encoded = self.sets[name].train
        # Fewer items than ranks: an idle rank repeats one item at no weight, so that every rank takes part.
        batch = predict.to_batch(data.collate(encoded, mine if len(mine) else rows[:1]), self.engine.device)
        self.model.train()
        # Dropout follows from the step and the rank alone: a resumed run needs no state of the generators.
        torch.manual_seed((self.spec.fields["seed"] << 40) + (self.step << 16) + self.place.rank)
        scores = self.engine(name, batch)
        share = len(mine) * self.place.world_size / len(rows)
        loss = self.model.loss(name, scores, batch) * share
        self.engine.step(loss)
        self.step += 1
        self.tokens += int(encoded.num_tokens[rows].sum())
        self.flops += (
            3 * self.model.encoder.config.forward_flops(batch.packed.lengths) * self.place.world_size
        )
        return float(loss.detach())

    def _look(self) -> None:
        """Scores the English development sets and keeps the weights when their mean is the best so far."""
        self.model.eval()
        rows = []
        means = []
        for name, one in self.sets.items():
            tokens = 4 * self.settings.tokens_per_batch
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
                    }
                )
        score = float(np.mean(means))
        self.looks_since_best += 1
        if score > self.best["score"]:
            self.looks_since_best = 0
            self.best = {"step": self.step, "score": score, "scores": rows}
            self._keep()

    def _keep(self) -> None:
        state = self.engine.weights()
        if self.place.first:
            folder = self._best_folder(self.step)
            shutil.rmtree(folder, ignore_errors=True)
            models.save(self.model, state, folder, tokenizer_from=self.parent)

    def _best_folder(self, step: int) -> Path:
        return self.run.checkpoints / f"best-{step:08d}"

    def _save(self) -> None:
        state = {
            "step": self.step,
            "tokens": self.tokens,
            "flops": self.flops,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "best": self.best,
            "looks_since_best": self.looks_since_best,
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
