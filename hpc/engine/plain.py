"""Training on one device without DeepSpeed: the same steps, for less.

Nothing in a step waits for the device: whether a gradient is finite, how far it is clipped and which rate it
takes are decided there, by AdamW's fused kernel.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from hpc.dtypes import DTYPES
from hpc.engine.base import KINDS, Engine, Part, frozen_copies, trained
from hpc.engine.optimizer import Linear, Update
from hpc.zero import SCALE_POWER, Precision

_GROWTH_STEPS = 1000
"""Finite steps in a row after which the scale of fp16 losses doubles, as in DeepSpeed."""


class PlainEngine(Engine):
    """See `Engine`.

    Args:
        module: the model; frozen parameters have requires_grad off.
        groups: parameter groups for AdamW.
        precision: of weights, gradients and activations; 16 bits train a master copy in fp32.
        device: where to.
        clip: largest gradient norm; 0 leaves gradients as they are.
        schedule: factor on the rates.
        epsilon: AdamW's epsilon.
    """

    name = "pytorch"
    stage = 0

    def __init__(
        self,
        module: nn.Module,
        groups: Sequence[Mapping[str, Any]],
        *,
        precision: Precision,
        device: str,
        clip: float,
        schedule: Linear,
        epsilon: float,
    ) -> None:
        self.module, self.schedule = module, schedule
        self.device = torch.device(device)
        if self.device.type == "cuda":
            torch.cuda.set_device(self.device)
        self._clip = clip
        self._is_whole = precision == "fp32"
        self._frozen = {} if self._is_whole else frozen_copies(module)
        self._names = dict(trained(module))
        module.to(self.device)
        masters = {
            name: one if self._is_whole else nn.Parameter(one.detach().clone())
            for name, one in self._names.items()
        }
        self._masters: dict[str, nn.Parameter] = masters
        by_parameter = {id(one): masters[name] for name, one in self._names.items()}
        module.to(DTYPES[precision])
        own = [
            dict(group) | {"params": [by_parameter[id(one)] for one in group["params"]]} for group in groups
        ]
        self._bases = [float(group["lr"]) for group in own]
        self._optimizer = torch.optim.AdamW(own, eps=epsilon, fused=True)
        self._taken = self._number(0.0)
        self._scale = self._number(2.0**SCALE_POWER if precision == "fp16" else 1.0)
        self._scales = precision == "fp16"
        self._finite = self._number(0.0)
        self._sums: list[Tensor] = []

    def __call__(self, *args: Any) -> Any:
        """See `Engine`."""
        return self.module(*args)

    def backward(self, loss: Tensor, *, last: bool = True) -> None:  # noqa: ARG002
        """See `Engine`."""
        (loss * self._scale if self._scales else loss).backward()  # type: ignore[no-untyped-call]
        if self._is_whole:
            return
        # Sums of several passes are kept in fp32: 16 bits would lose the small ones.
        found = [self._gradient(one) for one in self._names.values()]
        if self._sums:
            torch._foreach_add_(self._sums, found)
        else:
            self._sums = [one.float() for one in found]
        self._clear()

    def step(self) -> Update:
        """See `Engine`."""
        for name, one in self._masters.items():
            one.grad = self._gradient(self._names[name]) if self._is_whole else None
        if not self._is_whole:
            for one, found in zip(self._masters.values(), self._sums, strict=True):
                one.grad = found
        gradients = [one.grad for one in self._masters.values() if one.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients) / self._scale
        taken = torch.isfinite(norm).float()
        excess = ((norm + 1e-6) / self._clip).clamp_min(1.0) if self._clip else torch.ones_like(norm)
        # The fused kernel divides by the one and does nothing where the other is set.
        self._optimizer.grad_scale = self._scale * torch.where(taken > 0, excess, 1.0)  # type: ignore[attr-defined]
        self._optimizer.found_inf = 1.0 - taken  # type: ignore[attr-defined]
        factor = self.schedule.factor(self._taken)
        for group, base in zip(self._optimizer.param_groups, self._bases, strict=True):
            group["lr"] = base * factor
        self._optimizer.step()
        self._taken += taken
        if not self._is_whole:
            self._round()
        if self._scales:
            self._rescale(taken)
        self._sums = []
        for one in self._masters.values():
            one.grad = None
        return Update(norm, taken)

    def rate(self) -> float:
        """See `Engine`."""
        return float(self._optimizer.param_groups[0]["lr"])

    def weights(self) -> dict[str, Tensor]:
        """See `Engine`."""
        values: dict[str, Tensor] = {**dict(self.module.named_parameters()), **self._masters, **self._frozen}
        return {name: value.detach().float().cpu() for name, value in values.items()}

    def parts(self) -> Iterator[Part]:
        """See `Engine`."""
        for name, master in self._masters.items():
            state = self._optimizer.state[master]
            for kind in KINDS[1:]:
                state.setdefault(kind, torch.zeros_like(master))
            state.setdefault("step", self._number(0.0))
            tensors = {"value": master.detach()} | {kind: state[kind] for kind in KINDS[1:]}
            yield Part(name=name, start=0, tensors={kind: one.view(-1) for kind, one in tensors.items()})

    def owned(self) -> Iterator[Part]:
        """See `Engine`."""
        return self.parts()

    def set_taken(self, taken: int) -> None:
        """See `Engine`."""
        self._taken = self._number(float(taken))
        for _ in self.parts():
            pass
        for state in self._optimizer.state.values():
            state["step"].fill_(taken)

    def set_values(self, value_of: Callable[[str], Tensor]) -> None:  # noqa: ARG002
        """See `Engine`; the parts are all there is."""
        if not self._is_whole:
            self._round()

    def scaling(self) -> dict[str, float]:
        """See `Engine`."""
        return {"scale": float(self._scale), "finite": float(self._finite)}

    def set_scaling(self, state: Mapping[str, float]) -> None:
        """See `Engine`."""
        if self._scales and "scale" in state:
            self._scale.fill_(state["scale"])
            self._finite.fill_(state["finite"])

    def _gradient(self, parameter: nn.Parameter) -> Tensor:
        return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad

    def _clear(self) -> None:
        for one in self._names.values():
            one.grad = None

    def _round(self) -> None:
        with torch.no_grad():
            torch._foreach_copy_(list(self._names.values()), list(self._masters.values()))

    def _rescale(self, taken: Tensor) -> None:
        self._finite = (self._finite + 1) * taken
        grown = torch.where(self._finite >= _GROWTH_STEPS, 2.0, 1.0)
        self._finite = torch.where(self._finite >= _GROWTH_STEPS, 0.0, self._finite)
        self._scale *= torch.where(taken > 0, grown, 0.5)

    def _number(self, value: float) -> Tensor:
        return torch.tensor(value, device=self.device)
