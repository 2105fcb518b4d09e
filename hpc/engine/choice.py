"""Which engine trains: plain PyTorch on one device where nothing is to be spread, else DeepSpeed."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from hpc.engine.base import Engine
from hpc.engine.optimizer import Linear
from hpc.engine.plain import PlainEngine
from hpc.engine.sharded import ShardedEngine
from hpc.local.machine import total_memory_gb
from hpc.ranks import Ranks
from hpc.zero import Zero


def make_engine(
    module: nn.Module,
    groups: Sequence[Mapping[str, Any]],
    *,
    zero: Zero,
    place: Ranks,
    clip: float = 1.0,
    schedule: Linear,
    epsilon: float = 1e-8,
) -> Engine:
    """The engine for a module.

    Args:
        module: the model; frozen parameters have requires_grad off.
        groups: parameter groups for AdamW.
        zero: how training state is spread; on several ranks with its stage settled.
        place: this process among the ranks.
        clip: largest gradient norm; 0 leaves gradients as they are.
        schedule: factor on the rates.
        epsilon: AdamW's epsilon.
    """
    if zero.is_plain and place.world_size == 1:
        return PlainEngine(
            module,
            groups,
            precision=zero.precision,
            device=place.device,
            clip=clip,
            schedule=schedule,
            epsilon=epsilon,
        )
    return ShardedEngine(
        module, groups, zero=zero, place=place, clip=clip, schedule=schedule, epsilon=epsilon
    )


def device_bytes(place: Ranks) -> float:
    """Memory of a rank's device; on a CPU its share of the machine's."""
    if place.device == "cpu":
        return total_memory_gb() * 2**30 / place.local_size
    return float(torch.cuda.get_device_properties(torch.device(place.device)).total_memory)
