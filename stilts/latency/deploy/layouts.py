"""Ways to serve: which models lie where, and what it takes to answer requests with them.

shared    one encoder with all heads: a text is encoded once, whatever is asked about it
resident  a model a target, all on the device
swapped   a model a target, one of them on the device: the others wait on the host
"""

import copy
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from hpc.files import is_there
from stilts.evaluate.predict import send
from stilts.latency.deploy.loading import Loader, packed_encoder, size_of, tensors_of
from stilts.latency.deploy.traffic import Request, batch_of
from stilts.model.multitask import Model
from stilts.run.specs import TimedModel

Name = Literal["shared", "resident", "swapped"]
NAMES: tuple[Name, ...] = ("shared", "resident", "swapped")
Place = Literal["host", "cache", "disk"]
"""Where a model is brought from: the host's memory, a file in the page cache, a file on disk."""
PLACES: tuple[Place, ...] = ("host", "cache", "disk")


class Layout(ABC):
    """Answers requests."""

    name: Name

    @abstractmethod
    def answer(self, requests: Sequence[Request]) -> int:
        """Answers them all, results on the host.

        Returns:
            Nanoseconds in which models were brought to the device.
        """

    @abstractmethod
    def serves_together(self, first: Request, other: Request) -> bool:
        """Whether two requests can share a pass."""

    @property
    @abstractmethod
    def attention(self) -> str:
        """The back end that runs."""

    @property
    @abstractmethod
    def num_models(self) -> int:
        """How many models there are."""

    @property
    @abstractmethod
    def weights(self) -> int:
        """Bytes of the parameters on the device, those of equal models counted as often as they are."""

    @property
    def host_weights(self) -> int:
        """Bytes of the parameters that wait on the host."""
        return 0


@dataclass(kw_only=True)
class Shared(Layout):
    """One encoder, all heads."""

    model: Model
    heads: Mapping[str, str]
    name: Name = "shared"

    def answer(self, requests: Sequence[Request]) -> int:
        """One pass for all."""
        targets = dict.fromkeys(target for request in requests for target in request.targets)
        _ask(self.model, requests, [self.heads[target] for target in targets])
        return 0

    def serves_together(self, first: Request, other: Request) -> bool:  # noqa: ARG002
        """All do."""
        return True

    @property
    def attention(self) -> str:
        """See `Layout`."""
        return self.model.encoder.attention

    @property
    def num_models(self) -> int:
        """One."""
        return 1

    @property
    def weights(self) -> int:
        """Bytes."""
        return size_of([self.model])


@dataclass(kw_only=True)
class Resident(Layout):
    """A model a target; targets that share weights share a model."""

    models: Mapping[str, Model]
    """By target."""
    heads: Mapping[str, str]
    name: Name = "resident"

    def answer(self, requests: Sequence[Request]) -> int:
        """A pass for each model that is asked."""
        for target, mine in _by_target(requests).items():
            _ask(self.models[target], mine, [self.heads[target]])
        return 0

    def serves_together(self, first: Request, other: Request) -> bool:
        """Those of the same model."""
        return self.models[first.targets[0]] is self.models[other.targets[0]]

    @property
    def attention(self) -> str:
        """See `Layout`."""
        return next(iter(self.models.values())).encoder.attention

    @property
    def num_models(self) -> int:
        """Those that differ."""
        return len(set(map(id, self.models.values())))

    @property
    def weights(self) -> int:
        """Bytes."""
        return size_of({id(model): model for model in self.models.values()}.values())


@dataclass(kw_only=True)
class Swapped(Layout):
    """A model a target, of which one is on the device."""

    waiting: Mapping[str, Model]
    """On the host, by target; pinned where there is a GPU."""
    heads: Mapping[str, str]
    loader: Loader
    name: Name = "swapped"
    slot: Model | None = None
    inside: Model | None = None
    """Whose parameters are in the slot."""

    def __post_init__(self) -> None:
        if self.loader.device != "cpu":
            for model in self.waiting.values():
                # Heads are small beside an encoder: they stay on the device.
                model.heads.to(self.loader.device)
                for tensor in tensors_of(packed_encoder(model)):
                    tensor.data = tensor.data.pin_memory()

    def answer(self, requests: Sequence[Request]) -> int:
        """A pass for each model that is asked, after it was brought."""
        spent = 0
        for target, mine in _by_target(requests).items():
            spent += self.bring(target)
            assert self.slot is not None
            _ask(self.slot, mine, [self.heads[target]])
        return spent

    def bring(self, target: str) -> int:
        """Puts a target's model into the slot; nanoseconds, 0 where it is there."""
        wanted = self.waiting[target]
        if self.inside is wanted:
            return 0
        start = time.perf_counter_ns()
        self.put(wanted)
        return time.perf_counter_ns() - start

    def put(self, model: Model) -> None:
        """Makes the slot answer as a model of the host does."""
        self.inside = model
        if self.loader.device == "cpu":
            # The fast form of a processor has a layout of its own: it is made anew.
            self.slot = self.loader.ready(model)
            return
        if self.slot is None:
            self.slot = self.loader.ready(Model(copy.deepcopy(packed_encoder(model)), {}))
        # Parameters keep their places, so that captured graphs hold.
        for mine, other in zip(
            tensors_of(packed_encoder(self.slot)), tensors_of(packed_encoder(model)), strict=True
        ):
            mine.data.copy_(other.data, non_blocking=True)
        self.slot.encoder.refresh()
        self.slot.heads, self.slot.specs = model.heads.to(self.loader.device), model.specs
        torch.cuda.synchronize()

    def serves_together(self, first: Request, other: Request) -> bool:
        """Those of the same model."""
        return self.waiting[first.targets[0]] is self.waiting[other.targets[0]]

    @property
    def attention(self) -> str:
        """See `Layout`; known once a model has been brought."""
        if self.slot is None:
            self.put(next(iter(self.waiting.values())))
        assert self.slot is not None
        return self.slot.encoder.attention

    @property
    def num_models(self) -> int:
        """Those that differ."""
        return len(set(map(id, self.waiting.values())))

    @property
    def weights(self) -> int:
        """Bytes of one model."""
        return max(size_of([model]) for model in self.waiting.values())

    @property
    def host_weights(self) -> int:
        """Bytes of all."""
        return size_of({id(model): model for model in self.waiting.values()}.values())


def make(name: Name, timed: Sequence[TimedModel], loader: Loader) -> Layout:
    """A layout with all its models where they belong.

    Args:
        name: which.
        timed: the one model's targets for `shared`, else those of the models.
        loader: where to.
    """
    heads = {one.target: one.head for one in timed}
    if name == "shared":
        return Shared(model=loader.on_device(timed), heads=heads)
    groups: dict[str, list[TimedModel]] = {}
    for one in timed:
        # A head that its run does not have is a stand-in's: then each target counts as a model of its own.
        is_trained = is_there(loader.folder(one.weights) / "heads.json")
        groups.setdefault(one.weights if is_trained else one.target, []).append(one)
    load = loader.on_device if name == "resident" else loader.on_host
    found = {one.target: model for group in groups.values() for model in [load(group)] for one in group}
    if name == "resident":
        return Resident(models=found, heads=heads)
    return Swapped(waiting=found, heads=heads, loader=loader)


def _by_target(requests: Sequence[Request]) -> dict[str, list[Request]]:
    found: dict[str, list[Request]] = {}
    for request in requests:
        for target in request.targets:
            found.setdefault(target, []).append(request)
    return found


def _ask(model: Model, requests: Sequence[Request], heads: Sequence[str]) -> list[Tensor]:
    """The answers of heads to the texts of all requests, on the host."""
    batch = batch_of([request.query for request in requests])
    device = next(model.heads.parameters()).device
    with torch.inference_mode():
        moved = batch if device.type == "cpu" else send(batch, device)
        hidden = model.encoder(moved.packed)
        return [model.answer(head, hidden, moved).float().cpu() for head in heads]
