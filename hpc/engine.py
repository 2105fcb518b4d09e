"""The DeepSpeed engine: one optimizer step, committed checkpoints, resume, consolidated weights.

    engine = Engine(module, groups, zero=Zero(stage=1), schedule=Linear(steps=100, warmup=10))
    state = engine.resume(folder)                 # None on a fresh start
    loss = engine(...); engine.step(loss)
    engine.save(folder, step, state={"anything": ...})

A checkpoint counts only once `committed.json` lies in it, which rank 0 writes after every rank has finished;
DeepSpeed's own `latest` is written before that and is not trusted.
"""

import atexit
import json
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from hpc import collective
from hpc.errors import UserError
from hpc.files import read_json
from hpc.zero import Zero

COMMITTED = "committed.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Update:
    """What came of an optimizer step."""

    norm: float
    """Of the gradient, before clipping."""
    taken: bool
    """Whether parameters and schedule moved: they do not for a gradient that is not finite."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Linear:
    """A rate that rises over `warmup` steps and falls to zero at `steps`."""

    steps: int
    warmup: int

    def factor(self, step: int) -> float:
        """Factor on the base rate at a step counted from 0."""
        if step < self.warmup:
            return (step + 1) / (self.warmup + 1)
        return max(0.0, (self.steps - step) / max(1, self.steps - self.warmup))


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


class Engine:
    """Wraps a module for training; every rank makes one.

    Args:
        module: the model; frozen parameters have requires_grad off.
        groups: parameter groups for AdamW.
        zero: how training state is spread.
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
        clip: float = 1.0,
        schedule: Linear,
        epsilon: float = 1e-8,
    ) -> None:
        deepspeed = _deepspeed()
        self.zero = zero
        self.module = module
        # One pass over memory a group instead of a dozen: a fifth of the time on a CPU.
        optimizer = torch.optim.AdamW([dict(group) for group in groups], eps=epsilon, fused=True)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule.factor)
        self._engine, *_ = deepspeed.initialize(
            model=module, optimizer=optimizer, lr_scheduler=scheduler, config=zero.config(clip=clip)
        )
        atexit.unregister(_leave_gloo)
        atexit.register(_leave_gloo)

    @property
    def device(self) -> torch.device:
        """Where batches belong."""
        return torch.device(self._engine.device)

    def __call__(self, *args: Any) -> Any:
        """The module's forward pass."""
        return self._engine(*args)

    def step(self, loss: Tensor) -> Update:
        """Backward pass, clipping, optimizer and schedule.

        A parameter that the loss does not touch has a gradient of zero in every stage: AdamW's moments run on
        and weight decay goes on. Plain PyTorch would leave it alone, which the flat buffers of ZeRO cannot.
        """
        self._engine.backward(loss)
        if self.zero.stage == 0:
            return self._plain_step()
        skipped = self._engine.skipped_steps
        self._engine.step()
        return Update(
            norm=float(self._engine.get_global_grad_norm()), taken=self._engine.skipped_steps == skipped
        )

    def _plain_step(self) -> Update:
        """Without ZeRO DeepSpeed applies whatever gradient there is, and gives no norm."""
        gradients = [one.grad for one in self.module.parameters() if one.grad is not None]
        norm = float(torch.nn.utils.get_total_norm(gradients))
        if not math.isfinite(norm):
            self._engine.optimizer.zero_grad()
            return Update(norm=norm, taken=False)
        self._engine.step()
        return Update(norm=norm, taken=True)

    def save(self, folder: Path, step: int, *, state: Mapping[str, Any]) -> None:
        """Writes a resumable checkpoint and then removes older ones. Collective: every rank calls it.

        Args:
            folder: where checkpoints lie.
            step: optimizer steps done.
            state: whatever the caller needs to go on; pickled by torch.
        """
        tag = f"step-{step:08d}"
        here = folder / tag
        if collective.rank() == 0 and here.exists():
            shutil.rmtree(here)
        collective.barrier()
        self._engine.save_checkpoint(
            str(folder), tag=tag, client_state={"caller": dict(state)}, exclude_frozen_parameters=True
        )
        collective.barrier()
        if collective.rank() == 0:
            _commit(here, step)
            for other in _tags(folder):
                if other != here:
                    shutil.rmtree(other)
        collective.barrier()

    def resume(self, folder: Path) -> dict[str, Any] | None:
        """Loads the newest committed checkpoint; returns the caller's state, or None where there is none.

        Raises:
            UserError: the checkpoint was written by another number of ranks.
        """
        committed = [tag for tag in _tags(folder) if (tag / COMMITTED).exists()]
        if not committed:
            return None
        newest = committed[-1]
        written, ranks = read_json(newest / COMMITTED)["world_size"], collective.world_size()
        if written != ranks:
            raise UserError(
                f"{newest} was written by {written} ranks and cannot be resumed by {ranks}; "
                f"resume with {written} or delete {folder}"
            )
        _, client = self._engine.load_checkpoint(
            str(folder), tag=newest.name, load_module_strict=False, load_lr_scheduler_states=True
        )
        return dict(client["caller"])

    def weights(self) -> dict[str, Tensor]:
        """All parameters in fp32 on the host, whole. Collective; of use on rank 0."""
        if self.zero.precision == "fp32" and self.zero.stage < 3:
            return {name: value.detach().float().cpu() for name, value in self.module.state_dict().items()}
        deepspeed = _deepspeed()
        out = {}
        for name, parameter in self.module.named_parameters():
            if parameter.requires_grad:
                value = deepspeed.utils.safe_get_full_fp32_param(parameter)
            else:
                with deepspeed.zero.GatheredParameters([parameter], enabled=self.zero.stage == 3):
                    value = parameter.detach().clone()
            out[name] = value.detach().float().cpu()
        return out


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


def _commit(folder: Path, step: int) -> None:
    for path in folder.iterdir():
        _sync(path)
    temporary = folder / f".{COMMITTED}"
    written = {"step": step, "world_size": collective.world_size()}
    temporary.write_text(json.dumps(written) + "\n", encoding="utf-8")
    _sync(temporary)
    os.replace(temporary, folder / COMMITTED)
    _sync(folder)


def _tags(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("step-*") if path.is_dir())


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _leave_gloo() -> None:
    """Ends gloo's threads while the interpreter still stands; its end would now and then abort the process.

    NCCL is left to the end of the process: taking it down after another rank failed would wait for that rank.
    """
    if torch.distributed.is_initialized() and torch.distributed.get_backend() == "gloo":
        torch.distributed.destroy_process_group()
