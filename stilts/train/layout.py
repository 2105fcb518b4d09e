"""How a phase is laid out on the devices it finds: the ZeRO stage that `auto` stands for there."""

from typing import Literal

from hpc.engine import device_bytes
from hpc.ranks import Ranks
from hpc.zero import Zero
from stilts.model.costs import Pass, memory
from stilts.model.multitask import Model
from stilts.run.specs import TrainSpec
from stilts.train.sets import TrainingData

_SAMPLED = 100
"""Steps whose batches are looked at for the largest."""


def settled_zero(
    model: Model, training_data: TrainingData, asked: TrainSpec, place: Ranks, *, steps: int
) -> Zero:
    """What the run was asked, with its stage settled where it is `auto` and there are several ranks.

    Args:
        model: what is trained.
        training_data: what it is trained on.
        asked: what the run was asked.
        place: this process among the ranks.
        steps: of the phase.
    """
    zero = asked.zero
    if place.world_size == 1 or zero.stage != "auto":
        return zero
    draws = [training_data.order.draw(number) for number in range(min(steps, _SAMPLED))]
    largest = max(int(training_data.streams[name].encoded.num_tokens[rows].sum()) for name, rows in draws)
    estimate = memory(
        model.trainable_encoder.config,
        Pass(tokens=min(largest // place.world_size, zero.tokens_per_pass or largest)),
        zero,
        frozen=asked.optimisation.frozen,
        dropout=asked.optimisation.dropout > 0,
        pads=place.device == "cpu",
    )
    # Masked text needs the word embeddings whole.
    most: Literal[2, 3] = 2 if asked.text else 3
    return zero.settled(estimate, world_size=place.world_size, device_bytes=device_bytes(place), most=most)
