"""The steps of a phase: learn from a batch now, look at what came of the last ones about once a second.

Nothing in a step waits for the device but what the engine itself waits for.
"""

import math
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from hpc import collective, ranks
from hpc.engine import Linear, Update, make_engine, parameter_groups
from hpc.peak import gemm_rate
from hpc.zero import SCALE_POWER
from stilts.evaluate import predict
from stilts.model.multitask import Model
from stilts.run import ledger
from stilts.run.seeds import seed_of
from stilts.run.specs import RunSpec, TrainSpec
from stilts.train.health import Health
from stilts.train.layout import settled_zero
from stilts.train.sets import TrainingData
from stilts.train.steps import Step, Steps

SETTLED_SECONDS = 1.0
"""About how long steps go on before the ranks look at what came of them."""
_MOST_UNSETTLED = 64


@dataclass(kw_only=True)
class Totals:
    """How far a phase is; part of its checkpoints."""

    step: int = 0
    """Updates taken."""
    drawn: int = 0
    """Steps drawn: an update left out for a gradient that was not finite drew one too."""
    tokens: int = 0
    flops: float = 0.0
    """Of the model, as it was trained."""
    flops_hardware: float = 0.0
    """As computed: with what was computed again to save memory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """The steps that were looked at together."""

    steps: int
    moved: int
    """Updates taken."""
    losses: tuple[float, ...]
    """Of each step, over all ranks."""
    norm: float
    """Of the last gradient."""
    seconds: float
    tokens: int
    flops_hardware: float
    jumps: tuple[str, ...]
    """Streams whose loss jumped, with the loss."""


@dataclass(frozen=True, slots=True)
class _Unsettled:
    """A step whose outcome has not been looked at."""

    stream: str
    summed: Tensor
    """This rank's share of the loss, summed; on the device."""
    count: int
    tokens: int
    update: Update


class Learner:
    """Model, engine and what they have done so far.

    Args:
        spec: the run.
        asked: what it was asked.
        place: this process among the ranks.
        model: what learns.
        training_data: what from.
        steps: of the phase.
    """

    def __init__(
        self,
        spec: RunSpec,
        asked: TrainSpec,
        place: ranks.Ranks,
        model: Model,
        training_data: TrainingData,
        steps: int,
    ) -> None:
        settings = asked.optimisation
        self.place, self.model, self.steps = place, model, steps
        self._asked, self._run_id = asked, spec.id
        model.trainable_encoder.recompute = asked.zero.recompute
        groups = parameter_groups(
            model,
            rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            head_rate=settings.head_rate,
            heads="heads.",
        )
        self.engine = make_engine(
            model,
            groups,
            zero=settled_zero(model, training_data, asked, place, steps=steps),
            place=place,
            clip=settings.clip,
            schedule=Linear(steps=steps, warmup=int(steps * settings.warmup)),
            epsilon=settings.epsilon,
        )
        model.touches_all_heads = self.engine.stage == 3
        self.on_gpu = self.engine.device.type == "cuda"
        self.prepared = Steps(
            order=training_data.order,
            streams=training_data.streams,
            target_of=model.target_of,
            rank=place.rank,
            world_size=place.world_size,
            tokens_per_pass=asked.zero.tokens_per_pass,
            pins=self.on_gpu,
        )
        self.peak = gemm_rate(self.engine.device, next(model.parameters()).dtype) * place.world_size
        """FLOP/s of a matrix product on all devices."""
        self.totals, self.health = Totals(), Health()
        self.losses: list[float] = []
        """Of all steps of this attempt that were looked at, over all ranks."""
        self._unsettled: list[_Unsettled] = []
        self._most_unsettled = 1
        self._flops = [0.0, 0.0]
        """Of the model and of the hardware, on this rank since the last look."""
        self._since = time.perf_counter()

    @property
    def is_full(self) -> bool:
        """Whether it is time to look at what came of the last steps."""
        return len(self._unsettled) >= self._most_unsettled

    @property
    def furthest(self) -> int:
        """Updates taken if none of those since the last look was left out."""
        return self.totals.step + len(self._unsettled)

    def learn(self, step: Step) -> None:
        """Forward and backward passes of a step, and its update."""
        model, drawn = self.model, self.totals.drawn
        model.train()
        if not self._unsettled:
            self._since = time.perf_counter()
        # Dropout follows from the draw and the rank alone: a resumed run needs no state of the generators.
        torch.manual_seed(seed_of(self._asked.seed, self._run_id, "dropout", drawn, self.place.rank))
        count = max(step.count, 1)
        summed = torch.zeros((), device=self.engine.device)
        for number, each in enumerate(step.passes):
            batch = predict.send(each.batch, self.engine.device)
            loss = model.summed_loss(step.head, self.engine(step.head, batch), batch) * each.counts
            summed += loss.detach()
            cost = model.training_flops(step.head, batch)
            self._flops[0] += cost.model * each.counts
            self._flops[1] += cost.hardware
            last = number + 1 == len(step.passes)
            self.engine.backward(loss * (self.place.world_size / count), last=last)
        update = self.engine.step()
        self._unsettled.append(_Unsettled(step.stream, summed, count, step.tokens, update))
        self.totals.drawn += 1

    def settle(self) -> Window:
        """Looks at what came of the last steps, of which there are some, on all ranks together.

        Raises:
            ArithmeticError: on all ranks, where the loss of one is not finite, by which nothing has moved; or
                too many gradients were not.
        """
        pending, self._unsettled = self._unsettled, []
        before = self.totals.step
        outcome = torch.stack(
            [
                torch.stack([one.summed.double(), one.update.norm.double(), one.update.taken.double()])
                for one in pending
            ]
        ).cpu()
        spent = time.perf_counter() - self._since
        own = torch.tensor([spent, *self._flops], dtype=torch.float64)
        self._flops = [0.0, 0.0]
        start = time.perf_counter()
        of_ranks = collective.every(torch.cat((own, outcome[:, 0])).to(collective.device())).cpu()
        if self.place.world_size > 1:
            ledger.waited(time.perf_counter() - start)
        slowest = float(of_ranks[:, 0].max())
        self._most_unsettled = min(max(1, int(SETTLED_SECONDS * len(pending) / slowest)), _MOST_UNSETTLED)
        flops, flops_hardware = of_ranks[:, 1:3].sum(0).tolist()
        self.totals.flops += flops
        self.totals.flops_hardware += flops_hardware
        jumps = []
        for one, values, (_, norm, taken) in zip(
            pending, of_ranks[:, 3:].T.tolist(), outcome.tolist(), strict=True
        ):
            if self._take_in(one, values, norm, bool(taken)):
                jumps.append(f"{one.stream} to {self.losses[-1]:.4g}")
        return Window(
            steps=len(pending),
            moved=self.totals.step - before,
            losses=tuple(self.losses[-len(pending) :]),
            norm=float(outcome[-1, 1]),
            seconds=slowest,
            tokens=sum(one.tokens for one in pending),
            flops_hardware=flops_hardware,
            jumps=tuple(jumps),
        )

    def _take_in(self, one: _Unsettled, of_ranks: list[float], norm: float, taken: bool) -> bool:
        """Counts a step; returns whether its loss jumped."""
        loss, step = sum(of_ranks) / one.count, self.totals.step
        if not math.isfinite(loss):
            places = [rank for rank, value in enumerate(of_ranks) if not math.isfinite(value)]
            on = f" on rank {', '.join(map(str, places))}" if self.place.world_size > 1 else ""
            raise ArithmeticError(
                f"the loss is {loss} at step {step + 1}{on}; lower learning_rate or raise warmup"
            )
        self.losses.append(loss)
        self.totals.tokens += one.tokens
        if not taken:
            # The scale of fp16 is sought from above: so many halvings are no sign of anything.
            searching = SCALE_POWER if self._asked.zero.precision == "fp16" else 0
            self.health.skip(norm, step=step, steps=self.steps, searching=searching)
            return False
        self.totals.step += 1
        return self.health.loss(one.stream, loss)
