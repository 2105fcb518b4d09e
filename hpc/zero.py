"""How a training step is laid out on devices: ZeRO stage, precision, offload, what a device holds at once."""

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from hpc.errors import UserError
from hpc.settings import Range

Precision = Literal["fp32", "bf16", "fp16"]
Offload = Literal["none", "optimizer", "parameters"]
Stage = Literal[0, 1, 2, 3]

# Bytes a trained parameter costs: weights, gradients, and AdamW's two moments in fp32 with, for 16 bits, an
# fp32 master copy.
_WORKING = {"fp32": 4, "bf16": 2, "fp16": 2}
_OPTIMIZER = {"fp32": 8, "bf16": 12, "fp16": 12}
_BUCKET = 50_000_000
"""Numbers that ranks exchange at once; DeepSpeed's own ten times as many cost gigabytes."""
SPARE = 0.9
"""Share of a device's memory that an estimate may fill: what is left is the allocator's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Zero:
    """How training state is spread over ranks, and a step over passes.

    Raises:
        UserError: a combination that does not train what it says.
    """

    stage: Stage | Literal["auto"] = "auto"
    """0 nothing is spread, 1 optimizer state, 2 and gradients, 3 and parameters. `auto`: the lowest that fits
    by the estimate; on one device plain PyTorch, which does the same for less."""
    precision: Precision = "bf16"
    """Of weights, gradients and activations; sums are kept in fp32."""
    offload: Offload = "none"
    """What moves to host memory."""
    tokens_per_pass: Annotated[int, Range(least=1, most=2**31 - 1)] | None = None
    """Tokens a device sees in one forward and backward pass at most; gradients of a larger batch add up over
    several passes. All of its share of the batch when absent."""
    keep_fp32: bool = False
    """Whether weights that were trained in 16 bits are kept in 32, at twice the disk."""
    recompute: bool = False
    """Activations of a layer are computed again in the backward pass instead of being kept: a third more
    time, a tenth of their memory."""

    def __post_init__(self) -> None:
        if self.stage == 0 and self.precision != "fp32":
            raise UserError(
                f"ZeRO stage 0 with {self.precision} takes a first optimizer step of its own with zero "
                'gradients and so trains another model; use stage 1, or "auto"'
            )
        if self.offload != "none" and self.stage in (0, 1):
            raise UserError(f"offload of {self.offload} needs ZeRO stage 2 or 3, not {self.stage}")
        if self.offload == "parameters" and self.stage not in (3, "auto"):
            raise UserError("offload of parameters needs ZeRO stage 3")

    @property
    def is_plain(self) -> bool:
        """Whether one device trains without DeepSpeed."""
        return self.stage == "auto" and self.offload == "none"

    def settled(self, memory: "Memory", *, world_size: int, device_bytes: float, most: Stage = 3) -> "Zero":
        """With the stage that `auto` stands for on so many ranks: the lowest that fits, else the highest.

        Args:
            memory: what there is to hold.
            world_size: ranks.
            device_bytes: memory of each rank's device.
            most: the highest stage that the model can be trained in.
        """
        if self.stage != "auto":
            return self
        lowest = 0 if self.precision == "fp32" else 1
        if self.offload != "none":
            lowest = 3 if self.offload == "parameters" else 2
        stages: tuple[Stage, ...] = (0, 1, 2, 3)
        choices = [stage for stage in stages if lowest <= stage <= max(most, lowest)]
        for stage in choices:
            chosen = replace(self, stage=stage)
            if memory.bytes(chosen, world_size=world_size) <= SPARE * device_bytes:
                return chosen
        return replace(self, stage=choices[-1])

    def config(self, *, clip: float) -> dict[str, Any]:
        """The dict for `deepspeed.initialize`; the optimizer is handed over beside it.

        Args:
            clip: largest gradient norm; 0 leaves gradients as they are.
        """
        zero: dict[str, Any] = {
            "stage": self.stage,
            "reduce_bucket_size": _BUCKET,
            "allgather_bucket_size": _BUCKET,
        }
        if self.offload in ("optimizer", "parameters"):
            zero["offload_optimizer"] = {"device": "cpu"}
        if self.offload == "parameters":
            zero["offload_param"] = {"device": "cpu"}
        if self.stage == 3:
            zero["stage3_gather_16bit_weights_on_model_save"] = True
        return {
            "train_micro_batch_size_per_gpu": 1,
            "gradient_accumulation_steps": 1,
            "gradient_clipping": clip,
            "steps_per_print": 2**62,
            "zero_optimization": zero,
            "zero_allow_untested_optimizer": True,
            "zero_force_ds_cpu_optimizer": False,
            "bf16": {"enabled": self.precision == "bf16"},
            "fp16": {"enabled": self.precision == "fp16", "initial_scale_power": SCALE_POWER},
        }


SCALE_POWER = 16
"""Losses in fp16 are multiplied by 2**16 at first, and by half of that after each step that was too large."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """What training a model keeps on a device."""

    trained: int
    """Parameters that are trained."""
    frozen: int = 0
    """Parameters that are not."""
    activations: float = 0.0
    """Bytes kept for the backward pass of the largest pass."""

    def bytes(self, zero: Zero, *, world_size: int) -> int:
        """Estimate of the peak on one device.

        Args:
            zero: with a settled stage, or `auto` for plain PyTorch on one device.
            world_size: ranks the state is spread over.
        """
        stage = 0 if zero.stage == "auto" else zero.stage
        working = _WORKING[zero.precision]
        weights, gradients = float(working), float(working)
        if zero.stage == "auto" and zero.precision != "fp32":
            gradients += 4  # summed and clipped in fp32
        optimizer = 0.0 if zero.offload != "none" else float(_OPTIMIZER[zero.precision])
        optimizer /= world_size if stage >= 1 else 1
        gradients /= world_size if stage >= 2 else 1
        spread = world_size if stage >= 3 else 1
        state = self.trained * (weights / spread + optimizer) + self.frozen * weights / spread
        # Gradients come as activations go; those of an earlier pass are there from the start.
        both = (self.activations, self.trained * gradients)
        return int(state + (sum(both) if zero.tokens_per_pass is not None else max(both)))
