"""One suite of the kernels for any device: a folder that only a process of its own collects.

    TRITON_INTERPRET=1 python -m pytest tests/kernels/on_device        # interpreted, on the CPU
    STILTS_TEST_DEVICE=cuda python -m pytest tests/kernels/on_device   # compiled, on a GPU

`test_interpreted.py` runs the first. The flag counts when a kernel is decorated, so interpreted and compiled
kernels cannot share a process.
"""

import pytest
import torch

from tests.kernels.devices import DEVICE, INTERPRETED

collect_ignore_glob = [] if INTERPRETED or DEVICE == "cuda" else ["test_*.py"]
if DEVICE == "cuda":
    collect_ignore_glob.append("test_canary.py")
    torch.set_default_device(DEVICE)

if INTERPRETED:
    from tests.kernels.on_device import interpreter

    interpreter.install()


class Guard:
    """Memory for results, full of NaN and with a margin of NaN on either side."""

    MARGIN = 4096

    def __init__(self, new_empty):
        self.plain = new_empty
        self.buffers = []

    def new_empty(self, like, *size, **how):
        room = self.plain(like, *size, **how)
        if "device" in how or not room.is_floating_point():  # the interpreter's own
            return room
        buffer = torch.full((room.numel() + 2 * self.MARGIN,), float("nan"), dtype=room.dtype)
        self.buffers.append(buffer)
        return buffer[self.MARGIN : self.MARGIN + room.numel()].view(room.shape)

    def assert_margins_untouched(self):
        assert self.buffers, "nothing was allocated"
        for buffer in self.buffers:
            assert buffer[: self.MARGIN].isnan().all()
            assert buffer[-self.MARGIN :].isnan().all()


@pytest.fixture
def guard(monkeypatch):
    """Results start as NaN, so that a row nobody wrote shows, and writes beside them are found out."""
    guard = Guard(torch.Tensor.new_empty)
    monkeypatch.setattr(
        torch.Tensor, "new_empty", lambda like, *size, **how: guard.new_empty(like, *size, **how)
    )
    return guard
