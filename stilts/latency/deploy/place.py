"""Where a deployment is measured: a run of the stage `deploy`, its device and its traffic."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch

from hpc import ranks
from hpc.files import read_json
from stilts.latency.deploy.loading import Loader
from stilts.latency.deploy.traffic import Query, Traffic, read
from stilts.model.checkpoint import CONFIG
from stilts.run.folder import RunFolder
from stilts.run.provenance import processor_name
from stilts.run.settings import Precision
from stilts.run.specs import DeploySpec, RunSpec


@dataclass(frozen=True, kw_only=True)
class Place:
    """A run of this stage, and what it is asked."""

    run: RunFolder
    id: str
    asked: DeploySpec
    device: str

    @classmethod
    def of(cls, run: RunFolder, spec: RunSpec | None = None) -> Self:
        """Of a run's folder."""
        spec = spec or run.read_spec()
        assert isinstance(spec.asked, DeploySpec)
        return cls(run=run, id=spec.id, asked=spec.asked, device=ranks.setup().device)

    @cached_property
    def traffic(self) -> Traffic:
        """What comes in."""
        folder = self.run.sibling(self.asked.apart[0].weights).weights
        return read(self.run, self.asked, vocabulary=int(read_json(folder / CONFIG)["vocab_size"]))

    @property
    def text(self) -> Query:
        """The first text of all."""
        return self.traffic.texts(1)[0]

    @property
    def device_name(self) -> str:
        """The processor, or the GPU."""
        return processor_name() if self.device == "cpu" else torch.cuda.get_device_name(self.device)


def loader_of(place: Place, dtype: Precision) -> Loader:
    """What loads the models of a run."""
    return Loader(
        folder=lambda run_id: place.run.sibling(run_id).weights,
        device=place.device,
        dtype=dtype,
        attention=place.asked.protocol.attention,
    )
