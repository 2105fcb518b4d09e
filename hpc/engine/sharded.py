"""Training through DeepSpeed ZeRO, on one rank or many."""

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from hpc import collective, meeting
from hpc.engine.base import KINDS, Engine, Part, dealt, frozen_copies, trained
from hpc.engine.optimizer import Linear, Update
from hpc.ranks import Ranks
from hpc.zero import Zero


class ShardedEngine(Engine):
    """See `Engine`.

    Args:
        module: the model; frozen parameters have requires_grad off.
        groups: parameter groups for AdamW.
        zero: how training state is spread, its stage settled.
        place: this process among the ranks.
        clip: largest gradient norm; 0 leaves gradients as they are.
        schedule: factor on the rates.
        epsilon: AdamW's epsilon.
    """

    def __init__(
        self,
        module: nn.Module,
        groups: Sequence[Mapping[str, Any]],
        *,
        zero: Zero,
        place: Ranks,
        clip: float,
        schedule: Linear,
        epsilon: float,
    ) -> None:
        assert zero.stage != "auto", "the stage is settled before"
        self.module, self.schedule, self.stage = module, schedule, zero.stage
        self.name = f"zero-{zero.stage}"
        self._frozen = frozen_copies(module)
        self._names = dict(trained(module))
        deepspeed = _deepspeed()
        meeting.join(place)
        # One pass over memory a group instead of a dozen: a fifth of the time on a CPU.
        self._optimizer = torch.optim.AdamW([dict(group) for group in groups], eps=epsilon, fused=True)
        self._bases = [float(group["lr"]) for group in self._optimizer.param_groups]
        self._engine, *_ = deepspeed.initialize(
            model=module, optimizer=self._optimizer, config=zero.config(clip=clip)
        )
        self.device = torch.device(self._engine.device)
        self._taken = 0

    def __call__(self, *args: Any) -> Any:
        """See `Engine`."""
        return self._engine(*args)

    def backward(self, loss: Tensor, *, last: bool = True) -> None:
        """See `Engine`."""
        self._engine.set_gradient_accumulation_boundary(last)
        self._engine.backward(loss)

    def step(self) -> Update:
        """See `Engine`."""
        factor = float(self.schedule.factor(torch.tensor(float(self._taken), dtype=torch.float64)))
        for group, base in zip(self._optimizer.param_groups, self._bases, strict=True):
            group["lr"] = base * factor
        norm, taken = self._plain_step() if self.stage == 0 else self._zero_step()
        self._taken += taken
        return Update(torch.tensor(norm), torch.tensor(float(taken)))

    def rate(self) -> float:
        """See `Engine`."""
        return float(self._optimizer.param_groups[0]["lr"])

    def weights(self) -> dict[str, Tensor]:
        """See `Engine`."""
        if self.stage == 0:
            state = {name: value.detach() for name, value in self.module.named_parameters()}
        else:
            fragments = _deepspeed().utils
            state = {name: fragments.safe_get_full_fp32_param(one) for name, one in self._names.items()}
        return {name: value.float().cpu() for name, value in (state | self._frozen).items()}

    def parts(self) -> Iterator[Part]:
        """See `Engine`."""
        return {0: self._whole, 1: self._flat, 2: self._flat, 3: self._partitioned}[self.stage]()

    def owned(self) -> Iterator[Part]:
        """See `Engine`."""
        return iter(dealt(list(self.parts()))) if self.stage == 0 else self.parts()

    def set_taken(self, taken: int) -> None:
        """See `Engine`."""
        self._taken = taken
        for _ in self.parts():
            pass
        for state in self._optimizer.state.values():
            state["step"].fill_(taken)

    def set_values(self, value_of: Callable[[str], Tensor]) -> None:
        """See `Engine`."""
        with torch.no_grad():
            for name, one in self._names.items():
                value = value_of(name)
                if self.stage == 3:
                    size = one.ds_tensor.numel()  # type: ignore[attr-defined]
                    mine = value[collective.rank() * size :][:size]
                    one.ds_tensor[: len(mine)].copy_(mine)  # type: ignore[attr-defined]
                else:
                    one.copy_(value.view_as(one))

    def scaling(self) -> dict[str, float]:
        """See `Engine`."""
        scaler: Any = getattr(self._engine.optimizer, "loss_scaler", None)
        if not hasattr(scaler, "last_overflow_iter"):
            return {}
        return {
            "scale": float(scaler.cur_scale),
            "finite": float(scaler.cur_iter - scaler.last_overflow_iter - 1),
        }

    def set_scaling(self, state: Mapping[str, float]) -> None:
        """See `Engine`."""
        scaler: Any = getattr(self._engine.optimizer, "loss_scaler", None)
        if hasattr(scaler, "last_overflow_iter") and "scale" in state:
            scaler.cur_scale = state["scale"]
            scaler.cur_iter = 0
            scaler.last_overflow_iter = -1 - int(state["finite"])

    def _zero_step(self) -> tuple[float, bool]:
        skipped = self._engine.skipped_steps
        self._engine.step()
        return float(self._engine.get_global_grad_norm()), self._engine.skipped_steps == skipped

    def _plain_step(self) -> tuple[float, bool]:
        """Without ZeRO DeepSpeed applies whatever gradient there is, and gives no norm."""
        gradients = [one.grad for one in self._names.values() if one.grad is not None]
        norm = float(torch.nn.utils.get_total_norm(gradients))
        if not math.isfinite(norm):
            self._engine.optimizer.zero_grad()
            return norm, False
        self._engine.step()
        return norm, True

    def _whole(self) -> Iterator[Part]:
        """Stage 0: every rank has all of every parameter."""
        for name, one in self._names.items():
            state = self._moments(one)
            tensors = {"value": one.detach()} | {kind: state[kind] for kind in KINDS[1:]}
            yield Part(name=name, start=0, tensors={kind: value.view(-1) for kind, value in tensors.items()})

    def _flat(self) -> Iterator[Part]:
        """Stages 1 and 2: a stretch of all parameters of a group laid end to end."""
        partitions = self._engine.optimizer.single_partition_of_fp32_groups
        for name, one in self._names.items():
            mapping = one._hp_mapping  # type: ignore[attr-defined]
            if mapping is None:
                continue
            flat = partitions[mapping.param_group_index]
            place = mapping.hp_fragment_address
            state = self._moments(flat)
            tensors = {"value": flat.detach()} | {kind: state[kind] for kind in KINDS[1:]}
            yield Part(
                name=name,
                start=mapping.lp_fragment_address.start,
                tensors={kind: value.narrow(0, place.start, place.numel) for kind, value in tensors.items()},
            )

    def _partitioned(self) -> Iterator[Part]:
        """Stage 3: a stretch of each parameter; the last ranks may have less than the others, or nothing."""
        optimizer = self._engine.optimizer
        for name, one in self._names.items():
            group, offset, size = optimizer.grad_position[optimizer.get_param_id(one)]
            start = collective.rank() * size
            real = min(size, one.ds_numel - start)  # type: ignore[attr-defined]
            if real <= 0:
                continue
            flat = optimizer.fp32_partitioned_groups_flat[group]
            state = self._moments(flat)
            tensors = {"value": flat.detach()} | {kind: state[kind] for kind in KINDS[1:]}
            yield Part(
                name=name,
                start=start,
                tensors={kind: value.narrow(0, offset, real) for kind, value in tensors.items()},
            )

    def _moments(self, parameter: Tensor) -> dict[str, Tensor]:
        """AdamW's state, which it makes itself at its first step only."""
        state: dict[str, Tensor] = self._optimizer.state[parameter]
        for kind in KINDS[1:]:
            state.setdefault(kind, torch.zeros_like(parameter).detach())
        state.setdefault("step", torch.zeros((), device=parameter.device))
        return state


def _deepspeed() -> Any:
    """DeepSpeed, told not to compile what a run does not use.

    Its shared-memory collectives serve CPU inference only, yet building them would hold up the first run of a
    machine for a minute and a half, and stop it where there is no compiler.
    """
    os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")
    import deepspeed
    import deepspeed.ops

    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    return deepspeed
