"""What every engine is, and the part of it that is the same in all: checkpoints that fit any of them.

A checkpoint holds, of each trained parameter, its value in fp32 and AdamW's two moments, as fragments of the
flat tensor: the ranks write what they own, and any number of ranks, under any stage, reads them again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from hpc import collective
from hpc.engine import checkpoints
from hpc.engine.checkpoints import Checkpoint, Fragment
from hpc.engine.optimizer import Linear, Update

KINDS = ("value", "exp_avg", "exp_avg_sq")
"""What is kept of a trained parameter: its value in fp32, and AdamW's moments by their names in torch."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """Where a rank keeps a stretch of a trained parameter, as flat views that can be read and written."""

    name: str
    start: int
    """First element of the flat parameter that lies here."""
    tensors: Mapping[str, Tensor]
    """By `KINDS`, of one length; the moments are absent before the first step."""


class Engine:
    """A module under training; every rank makes one.

    A parameter that a loss does not touch has a gradient of zero: AdamW's moments run on and weight decay
    goes on. Plain PyTorch would leave it alone, which the flat buffers of ZeRO cannot; all engines are alike.
    """

    name: str
    """What trains: `pytorch`, or `zero-N`."""
    stage: int
    """ZeRO stage; 0 without DeepSpeed."""
    device: torch.device
    """Where batches belong."""
    module: nn.Module
    schedule: Linear

    def __call__(self, *args: Any) -> Any:
        """The module's forward pass."""
        raise NotImplementedError

    def backward(self, loss: Tensor, *, last: bool = True) -> None:
        """Adds the gradients of a loss; `last`: those of this step are then complete."""
        raise NotImplementedError

    def step(self) -> Update:
        """Clips, and moves parameters and schedule unless the gradient is not finite on some rank."""
        raise NotImplementedError

    def rate(self) -> float:
        """Learning rate of the first group at the last step."""
        raise NotImplementedError

    def weights(self) -> dict[str, Tensor]:
        """All parameters in fp32 on the host, whole. Collective; of use on rank 0."""
        raise NotImplementedError

    def parts(self) -> Iterator[Part]:
        """What this rank keeps of the trained parameters, the moments set up."""
        raise NotImplementedError

    def owned(self) -> Iterator[Part]:
        """Of `parts` those that this rank writes: all ranks together write everything once."""
        raise NotImplementedError

    def set_taken(self, taken: int) -> None:
        """Tells schedule and optimizer how many steps were taken before."""
        raise NotImplementedError

    def set_values(self, value_of: Callable[[str], Tensor]) -> None:
        """Sets what the forward pass reads, given whole parameters in fp32 by name."""
        raise NotImplementedError

    def scaling(self) -> dict[str, float]:
        """State of the scale of fp16 losses."""
        return {}

    def set_scaling(self, state: Mapping[str, float]) -> None:
        """Sets what `scaling` gave."""

    def save(self, folder: Path, step: int, *, taken: int, state: Mapping[str, Any]) -> None:
        """Writes a resumable checkpoint; the one before is kept, older ones go. Collective.

        Args:
            folder: where checkpoints lie.
            step: a number that rises from one checkpoint to the next.
            taken: optimizer steps taken.
            state: whatever the caller needs to go on, as JSON.
        """
        fragments = (
            Fragment(name=f"{kind}/{part.name}", start=part.start, values=values)
            for part in self.owned()
            for kind, values in part.tensors.items()
        )
        written = {"taken": taken, "scaling": self.scaling(), "caller": dict(state)}
        checkpoints.write(folder, step, fragments, state=written)

    def resume(self, folder: Path, *, accept: Callable[[Any], str] = lambda _: "") -> dict[str, Any] | None:
        """Loads the newest checkpoint that is whole, whatever ranks and stage wrote it. Collective.

        Args:
            folder: where checkpoints lie.
            accept: says of a caller's state why it cannot be gone on with; empty when it can.

        Returns:
            The caller's state, or None where there is no checkpoint.
        """
        found = checkpoints.newest(folder, accept=lambda state: accept(state["caller"]))
        if found is None:
            return None
        self.set_taken(int(found.state["taken"]))
        self.set_scaling(found.state["scaling"])
        with found.open() as tensors:
            self._fill(tensors)
        collective.barrier()
        return dict(found.state["caller"])

    def _fill(self, saved: Checkpoint) -> None:
        for part in self.parts():
            for kind, tensor in part.tensors.items():
                whole = saved.tensor(f"{kind}/{part.name}")
                tensor.copy_(whole[part.start : part.start + tensor.numel()])
        self.set_values(lambda name: saved.tensor(f"value/{name}"))


def trained(module: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """The parameters that are trained, with their names."""
    return [(name, one) for name, one in module.named_parameters() if one.requires_grad]


def frozen_copies(module: nn.Module) -> dict[str, Tensor]:
    """Host copies of what is not trained, on the first rank: an engine may round its own to fewer bits."""
    if collective.rank() != 0:
        return {}
    return {
        name: one.detach().to("cpu", torch.float32, copy=True)
        for name, one in module.named_parameters()
        if not one.requires_grad
    }


def dealt(parts: Sequence[Part]) -> list[Part]:
    """This rank's share of what all ranks have alike."""
    return list(parts[collective.rank() :: collective.world_size()])
