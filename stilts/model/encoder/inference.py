"""The fastest form of an encoder on the device it is on."""

import functools
import logging

from stilts.model.encoder.cpu import CpuEncoder, supported
from stilts.model.encoder.fused import FusedEncoder
from stilts.model.encoder.graphs import GraphedEncoder
from stilts.model.encoder.packed import Attention, Encoder, PackedEncoder

_log = logging.getLogger(__name__)


def for_inference(encoder: PackedEncoder, *, attention: Attention = "triton") -> Encoder:
    """An encoder with the same answers that takes no gradients.

    Args:
        encoder: in eval mode, on its device and in its type of number; its parameters must not change after.
        attention: the back end wanted; where it cannot run the next best does, and says so once.
    """
    weight = encoder.word.weight
    if weight.device.type == "cuda":
        fused = FusedEncoder(encoder, attention=attention)
        # Scaled-dot-product attention takes its shapes from the lengths: no graph holds for two batches.
        return fused if fused.attention == "sdpa" else GraphedEncoder(fused)
    if attention != "sdpa":
        _say(f"attention {attention!r} needs a CUDA device: on this CPU it is 'sdpa'")
    if supported(weight.dtype):
        return CpuEncoder(encoder)
    name = str(weight.dtype).removeprefix("torch.")
    _say(f"{name} is not packed on this processor: PyTorch's general products run, maybe slower than fp32's")
    return encoder


@functools.cache
def _say(message: str) -> None:
    _log.warning(message)
