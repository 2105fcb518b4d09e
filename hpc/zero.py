"""DeepSpeed's configuration for a ZeRO stage, as the plain dict it reads."""

from dataclasses import dataclass
from typing import Any, Literal

from hpc.errors import UserError

Precision = Literal["fp32", "bf16"]
Offload = Literal["none", "optimizer", "parameters"]

# Bytes a trained parameter costs: weights and gradients in the training precision, then AdamW's two moments
# in fp32 with, for bf16, an fp32 master copy.
_WORKING = {"fp32": 8, "bf16": 4}
_OPTIMIZER = {"fp32": 8, "bf16": 12}


@dataclass(frozen=True, kw_only=True, slots=True)
class Zero:
    """How training state is spread over ranks.

    Args:
        stage: 0 nothing, 1 optimizer state, 2 and gradients, 3 and parameters.
        precision: of weights, gradients and activations.
        offload: what moves to host memory.

    Raises:
        UserError: a combination that does not train what it says.
    """

    stage: Literal[0, 1, 2, 3] = 2
    precision: Precision = "bf16"
    offload: Offload = "none"

    def __post_init__(self) -> None:
        if self.stage == 0 and self.precision == "bf16":
            raise UserError(
                "ZeRO stage 0 with bf16 takes a first optimizer step of its own with zero gradients and so "
                "trains another model; use stage 1, also on one device"
            )
        if self.offload != "none" and self.stage < 2:
            raise UserError(f"offload of {self.offload} needs ZeRO stage 2 or 3, not {self.stage}")
        if self.offload == "parameters" and self.stage != 3:
            raise UserError("offload of parameters needs ZeRO stage 3")

    def config(self, *, clip: float) -> dict[str, Any]:
        """The dict for `deepspeed.initialize`; the optimizer is handed over beside it.

        Args:
            clip: largest gradient norm; 0 leaves gradients as they are.
        """
        zero: dict[str, Any] = {"stage": self.stage}
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
        }

    def bytes_per_rank(self, parameters: int, world_size: int) -> int:
        """Estimate of the training state on one device, activations apart.

        Args:
            parameters: number of trained parameters.
            world_size: ranks the state is spread over.
        """
        weights = gradients = _WORKING[self.precision] / 2
        optimizer = 0.0 if self.offload != "none" else float(_OPTIMIZER[self.precision])
        optimizer /= world_size if self.stage >= 1 else 1
        gradients /= world_size if self.stage >= 2 else 1
        weights /= world_size if self.stage >= 3 else 1
        return int(parameters * (weights + gradients + optimizer))
