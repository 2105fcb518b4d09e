"""What all engines optimise with: AdamW's groups, the schedule of the rate, and what came of a step."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Update:
    """What came of an optimizer step, on the device: reading it waits for the step."""

    norm: Tensor
    """[] of the gradient before clipping."""
    taken: Tensor
    """[] 1 where parameters and schedule moved, 0 where the gradient was not finite."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Linear:
    """A rate that rises over `warmup` steps and falls to zero at `steps`."""

    steps: int
    warmup: int

    def factor(self, step: Tensor) -> Tensor:
        """Factor on the base rate at a step counted from 0."""
        rising = (step + 1) / (self.warmup + 1)
        falling = ((self.steps - step) / max(1, self.steps - self.warmup)).clamp_min(0)
        return torch.where(step < self.warmup, rising, falling)


def parameter_groups(
    module: nn.Module, *, rate: float, weight_decay: float, head_rate: float, heads: str
) -> list[dict[str, Any]]:
    """AdamW groups of the trained parameters: no decay on biases and one-dimensional weights (LayerNorm).

    Args:
        module: the model.
        rate: learning rate.
        weight_decay: decoupled decay of matrices.
        head_rate: factor on the rate of parameters whose name starts with `heads`.
        heads: that prefix.
    """
    groups: dict[tuple[bool, bool], dict[str, Any]] = {}
    for name, parameter in module.named_parameters():
        if not parameter.requires_grad:
            continue
        is_head, decays = name.startswith(heads), parameter.ndim > 1
        group = groups.setdefault(
            (is_head, decays),
            {
                "params": [],
                "lr": rate * (head_rate if is_head else 1.0),
                "weight_decay": weight_decay if decays else 0.0,
            },
        )
        group["params"].append(parameter)
    return [groups[key] for key in sorted(groups)]
