"""One training phase: one task or a mixture, with dev evaluations, the best weights kept, and exact resume.

Reads the parent's weights, trains, writes `weights/`, and one row each into the records `training` and
`scores` (English dev).
"""

import os
import shutil
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hpc import ranks
from hpc.engine import checkpoints
from hpc.errors import Unreadable, UserError
from hpc.files import is_there, write_json, write_json_once
from hpc.heartbeat import Heartbeat
from hpc.stopping import StopRequest
from hpc.usage import peak_memory
from stilts.model.multitask import Model
from stilts.run import ledger
from stilts.run.folder import RunFolder
from stilts.run.settings import TOKENS_PER_BATCH
from stilts.run.specs import RunSpec, TrainSpec
from stilts.train import best, records
from stilts.train.best import Best
from stilts.train.development import evaluate
from stilts.train.health import Health
from stilts.train.learner import Learner, Totals, Window
from stilts.train.sets import TrainingData, build, training_data_of
from stilts.train.steps import AHEAD, Feeder
from stilts.train.stream import Stream

HANG_VARIABLE = "STILTS_HANG_MINUTES"
_HANG_MINUTES = 20.0
"""Below the 30 minutes after which a collective gives up, and nobody is told who kept it waiting."""


def train(run: RunFolder, spec: RunSpec, asked: TrainSpec) -> None:
    """Carries out a run of the stage `train`."""
    if is_there(records.shard(run)):  # killed after the last record, before `done.json`
        shutil.rmtree(run.checkpoints, ignore_errors=True)
        return
    place = ranks.setup()
    parent = run.sibling(spec.needs[0]).weights
    with ledger.spending("data"):
        training_data = training_data_of(run, asked, parent)
    model = build(parent, training_data, asked, run_id=spec.id)
    trainer = Trainer(run, spec, asked, place, model, training_data, parent)
    with StopRequest() as stop, trainer.heart:
        trainer.work(stop)
    trainer.finish()


def _heartbeat(run: RunFolder, place: ranks.Ranks) -> Heartbeat:
    def tell(reason: str) -> None:
        write_json_once(run.failed, {"error": reason, "code": 1, "traceback": ""})

    return Heartbeat(
        run.beats,
        rank=place.rank,
        world_size=place.world_size,
        patience=60 * hang_minutes(),
        tell=tell,
    )


def hang_minutes() -> float:
    """How long ranks may stand still before their job is ended.

    Raises:
        UserError: the variable holds no such number.
    """
    given = os.environ.get(HANG_VARIABLE, str(_HANG_MINUTES))
    with suppress(ValueError):
        if 0 < float(given) < float("inf"):
            return float(given)
    raise UserError(f"{HANG_VARIABLE} should be a number of minutes above 0, not {given!r}")


class Trainer:
    """A phase from its first step, or its last checkpoint, to its weights."""

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
        self.run, self.spec, self.asked, self.place = run, spec, asked, place
        self.settings = settings = asked.optimisation
        self.model, self.training_data, self.parent = model, training_data, parent
        self.steps = training_data.order.steps(settings.epochs, at_most=settings.max_steps)
        if asked.matched:
            self.steps += records.steps_of(run.sibling(asked.matched))
        self.learner = Learner(spec, asked, place, model, training_data, self.steps)
        self.best = Best()
        self.evaluations_since_best = 0
        self.stream = Stream(run, steps=self.steps, writes=place.first)
        self.heart = _heartbeat(run, place)

    @property
    def step(self) -> int:
        """Updates taken."""
        return self.learner.totals.step

    def work(self, stop: StopRequest) -> None:
        """Trains to the last step, or until the development score has stopped rising.

        Raises:
            Stopped: a signal came; the state is saved.
            ArithmeticError: the loss is no longer a number, or too many gradients were not.
        """
        self._resume()
        self.stream.go_on_from(self.step)
        learner, settings = self.learner, self.settings
        feeder = Feeder(learner.prepared.prepare, learner.totals.drawn, ahead=AHEAD if learner.on_gpu else 0)
        try:
            while self.step < self.steps and self.evaluations_since_best < settings.patience:
                with ledger.spending("training"):
                    batch = feeder.take()
                    self.heart.beat()
                    learner.learn(batch)
                    is_asked = self.place.world_size == 1 and stop.is_asked
                    if not (is_asked or learner.is_full or learner.furthest >= self._next_stop()):
                        continue
                    window = learner.settle()
                self._tell(window)
                if window.moved and (self.step % settings.evaluate_every == 0 or self.step == self.steps):
                    self.evaluate_dev()
                if stop.agreed() != "go on":
                    self.save()
                    stop.leave()
                if window.moved and self.step % settings.save_every == 0 and self.step < self.steps:
                    self.save()
        finally:
            feeder.close()

    def evaluate_dev(self) -> None:
        """Scores the English development sets and keeps the weights when their mean is the best so far."""
        with ledger.spending("evaluation"):
            tokens = 4 * (self.settings.tokens_per_batch or TOKENS_PER_BATCH)
            found = evaluate(
                self.model, self.training_data.sets, tokens_per_batch=tokens, between=self.heart.beat
            )
        self.evaluations_since_best += 1
        kept = self.best.is_beaten_by(found.mean)
        self.stream.dev(self.step, found.by_task(), kept=kept)
        if not kept:
            return
        self.evaluations_since_best = 0
        self.learner.health.alike = found.alike
        self.best = Best(step=self.step, score=found.mean, rows=found.rows)
        with ledger.spending("checkpoint"):
            weights = self.learner.engine.weights()
            if self.place.first:
                path, tasks = self.run.path, ", ".join(self.asked.tasks)
                about = f"Run `{path.name}` of the study `{path.parent.name}`, trained on {tasks}."
                zero = self.asked.zero
                self.best.files = best.write(
                    self.run,
                    self.step,
                    self.model,
                    weights,
                    tokenizer_from=self.parent,
                    about=about,
                    precision="fp32" if zero.keep_fp32 else zero.precision,
                )

    def save(self) -> None:
        """Writes a checkpoint; the best weights that kept checkpoints name are kept beside them."""
        totals, folder = self.learner.totals, self.run.checkpoints
        with ledger.spending("checkpoint"):
            state = {
                "totals": asdict(totals),
                "health": self.learner.health.state(),
                "best": self.best.state(),
                "evaluations_since_best": self.evaluations_since_best,
            }
            self.learner.engine.save(folder, totals.drawn, taken=totals.step, state=state)
            if self.place.first:
                with suppress(Unreadable):  # the next time will do
                    best.prune(self.run, [kept["best"]["step"] for kept in checkpoints.states(folder)])
        ledger.committed(totals.drawn)

    def finish(self) -> None:
        """Moves the best weights into place and writes the records.

        Raises:
            ArithmeticError: there are none.
        """
        if not self.place.first:
            return
        learner = self.learner
        shares = self.training_data.order.report(learner.totals.drawn)
        write_json(self.run.mixture, {task: asdict(share) for task, share in shares.items()})
        best.put_in_place(self.run, self.best)
        drawn = {self.training_data.streams[name].head for name, share in shares.items() if share.steps}
        undrawn = sorted(self.training_data.heads - drawn)
        records.write(self.run, self.spec, self.asked, learner, self.best, undrawn=undrawn)
        shutil.rmtree(self.run.checkpoints, ignore_errors=True)

    def _next_stop(self) -> int:
        """The next step after which there may be something to do."""
        every = (self.settings.evaluate_every, self.settings.save_every)
        return min(self.steps, *((self.step // each + 1) * each for each in every))

    def _tell(self, window: Window) -> None:
        learner = self.learner
        rate, mfu = window.tokens / window.seconds, window.flops_hardware / window.seconds / learner.peak
        loss = sum(window.losses) / window.steps
        values = {
            "loss": loss,
            "norm": window.norm,
            "rate": learner.engine.rate(),
            "tokens_per_second": rate,
            "mfu": mfu,
            "drawn": learner.totals.drawn,
            "skipped": learner.health.skipped,
            "memory": peak_memory(learner.engine.device),
        }
        note = f"loss {loss:.3f}, {rate / 1000:.1f} k tokens/s, {100 * mfu:.0f} % of peak"
        self.stream.steps(self.step, values, losses=window.losses, note=note)
        for jump in window.jumps:
            self.stream.notice(self.step, f"the loss jumped: {jump}")

    def _resume(self) -> None:
        def reason_against(state: dict[str, Any]) -> str:
            return best.missing(self.run, Best(**state["best"])) if self.place.first else ""

        learner = self.learner
        with ledger.spending("checkpoint"):
            state = learner.engine.resume(self.run.checkpoints, accept=reason_against)
        if state is None:
            return
        learner.totals, learner.health = Totals(**state["totals"]), Health.of(state["health"])
        self.best, self.evaluations_since_best = Best(**state["best"]), state["evaluations_since_best"]
        ledger.resumed(learner.totals.drawn)
