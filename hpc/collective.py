"""What the ranks of a job tell each other; a process alone answers itself, and needs no torch for it."""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


def rank() -> int:
    """This process's rank."""
    distributed = _distributed()
    return 0 if distributed is None else int(distributed.get_rank())


def world_size() -> int:
    """Ranks of the job."""
    distributed = _distributed()
    return 1 if distributed is None else int(distributed.get_world_size())


def barrier() -> None:
    """Waits for all ranks."""
    distributed = _distributed()
    if distributed is not None:
        distributed.barrier()


def largest(number: int) -> int:
    """The largest of the ranks' numbers."""
    distributed = _distributed()
    if distributed is None:
        return number
    import torch

    shared = torch.tensor([number], device=_device(distributed))
    distributed.all_reduce(shared, op=distributed.ReduceOp.MAX)
    return int(shared.item())


def every(values: "Tensor") -> "Tensor":
    """The values of all ranks, [N] -> [ranks, N]."""
    import torch

    distributed = _distributed()
    if distributed is None:
        return values[None]
    found = [torch.empty_like(values) for _ in range(distributed.get_world_size())]
    distributed.all_gather(found, values.contiguous())
    return torch.stack(found)


def summed(values: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """The sum of the ranks' arrays of one shape."""
    distributed = _distributed()
    if distributed is None:
        return values
    import torch

    shared = torch.from_numpy(values).to(_device(distributed))
    distributed.all_reduce(shared)
    found: NDArray[np.float32] = shared.cpu().numpy()
    return found


def of_first(value: float) -> float:
    """Rank 0's number, on all ranks: what is decided by it is decided once."""
    distributed = _distributed()
    if distributed is None:
        return value
    import torch

    shared = torch.tensor([value], dtype=torch.float64, device=_device(distributed))
    distributed.broadcast(shared, src=0)
    return float(shared.item())


def device() -> str:
    """Where tensors lie that the ranks exchange."""
    distributed = _distributed()
    return "cpu" if distributed is None else _device(distributed)


def _device(distributed: Any) -> str:
    return "cuda" if distributed.get_backend() == "nccl" else "cpu"


def _distributed() -> Any:
    """torch.distributed if this process is one of several, else None."""
    module = sys.modules.get("torch.distributed")
    several = module is not None and module.is_initialized() and module.get_world_size() > 1
    return module if several else None
