"""Programmatic dependent launch: a kernel starts while the one before it still runs.

Where the device can (compute capability 9.0 and above), each kernel first lets the next one start, does what
needs no result of its predecessor, such as asking for weights, and then waits until that is complete and its
writes can be seen. Every program must wait, also one with nothing to do: only so is a kernel that has ended a
sign that all before it have, too, and only so may it write where an earlier one still reads.

    kernel[grid](..., DEPENDENT=dependent(device), **launch_options(device))
"""

import functools

import torch
import triton
import triton.language as tl


@triton.jit
def start(DEPENDENT: tl.constexpr):
    """Lets the next kernel start."""
    if DEPENDENT:
        tl.extra.cuda.gdc_launch_dependents()


@triton.jit
def wait(DEPENDENT: tl.constexpr):
    """Until the kernel before is complete; nothing that it wrote may be read earlier."""
    if DEPENDENT:
        tl.extra.cuda.gdc_wait()


@functools.cache
def dependent(device: torch.device) -> bool:
    """Whether kernels on the device are launched so."""
    return (
        device.type == "cuda" and not torch.version.hip and torch.cuda.get_device_capability(device) >= (9, 0)
    )


def dependent_on(arch: str) -> bool:
    """`dependent` of an architecture such as sm_90."""
    return arch.startswith("sm_") and int(arch.removeprefix("sm_")) >= 90


def launch_options(device: torch.device) -> dict[str, bool]:
    """What the launcher has to be told."""
    return {"launch_pdl": True} if dependent(device) else {}
