"""Loads the models of a study onto a device, and knows their parameters."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from torch import Tensor, nn

from hpc.dtypes import DTYPES
from stilts import tasks
from stilts.model import folder as models
from stilts.model.encoder import Encoder
from stilts.model.heads import HeadSpec
from stilts.model.multitask import Model
from stilts.run.settings import Attention, Precision
from stilts.run.specs import TimedModel
from stilts.tasks.types import Head

_MOST_LABELS = 17


@dataclass(frozen=True, kw_only=True, slots=True)
class Loader:
    """Loads models of a study onto a device."""

    folder: Callable[[str], Path]
    """Of a run's weights."""
    device: str
    dtype: Precision
    attention: Attention

    def on_host(self, timed: Iterable[TimedModel]) -> Model:
        """A model in its type of number, in the host's memory, with the heads that it is timed with."""
        timed = list(timed)
        model = models.load(self.folder(timed[0].weights)).to(DTYPES[self.dtype]).eval()
        for one in timed:
            if one.head not in model.specs:
                model.add_head(one.head, fresh_head(one.target), seed=0)
        return model.to(DTYPES[self.dtype])

    def on_device(self, timed: Iterable[TimedModel]) -> Model:
        """The same where it answers, in its fastest form; nothing is compiled later."""
        return self.ready(self.on_host(timed))

    def ready(self, model: Model) -> Model:
        """A model of the host in its fastest form on the device."""
        fast = model.to(self.device).for_inference(attention=self.attention)
        fast.encoder.warm_up()
        return fast


def size_of(some: Iterable[Model]) -> int:
    """Bytes of the parameters and buffers of models."""
    tensors = (
        tensor
        for model in some
        for part in (packed_encoder(model), model.heads)
        for tensor in tensors_of(part)
    )
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def forget(file: Path) -> None:
    """Takes a file out of the page cache, as far as the kernel does as it is told."""
    with file.open("rb") as opened:
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def packed_encoder(model: Model) -> Encoder:
    """The encoder in the form that is saved, below what makes it fast."""
    encoder = model.encoder
    while isinstance(below := getattr(encoder, "encoder", None), Encoder):
        encoder = below
    return encoder


def tensors_of(module: nn.Module) -> list[Tensor]:
    """Parameters and buffers, in one order."""
    return [*module.parameters(), *module.buffers()]


def fresh_head(target: str) -> HeadSpec:
    """A head for a target that its weights have none for: to be timed, not believed."""
    task = tasks.load(target)
    names = task.labels or tuple(str(n) for n in range(_MOST_LABELS))
    labels = tuple(names) if task.type in ("classify", "tag") else ()
    return HeadSpec(kind=cast("Head", task.type), labels=labels)
