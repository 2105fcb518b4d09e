"""How fast this device multiplies matrices: what a share of its peak is a share of."""

import time

import torch

_SIDES = {"cpu": 768, "cuda": 8192}
_REPEATS = 5


def gemm_rate(device: torch.device, dtype: torch.dtype) -> float:
    """FLOP/s of a square product in this precision, the best of a few; on a CPU with the threads of now."""
    side = _SIDES.get(device.type, 2048)
    a = torch.randn(side, side, device=device).to(dtype)
    b = torch.randn(side, side, device=device).to(dtype)
    out = a @ b
    best = float("inf")
    for _ in range(_REPEATS):
        _wait(device)
        start = time.perf_counter()
        torch.mm(a, b, out=out)
        _wait(device)
        best = min(best, time.perf_counter() - start)
    return 2.0 * side**3 / best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
