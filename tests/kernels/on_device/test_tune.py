"""What the tuner launches is the kernel, in both layouts."""

import pytest
import torch

from kernels.bench.attention import by_sequence
from kernels.bench.workloads import Workload
from kernels.tiles import Tile
from kernels.tune.choice import Section
from kernels.tune.measuring import launch
from tests.kernels.devices import generator

LOAD = Workload(name="x", lengths=(5, 70, 1))


@pytest.mark.parametrize("tile", [Tile(64, 64, 4, 2), Tile(128, 64, 8, 2)], ids=str)
@pytest.mark.parametrize("layout", ["packed_qkv", "strided"])
def test_a_tile_is_launched(layout, tile):
    section = Section(layout=layout, size="d32", default=tile, large=tile)
    qkv = torch.randn(76, 3, 2, 32, generator=generator(0))
    out = launch(section, tile, qkv, LOAD)()
    assert torch.allclose(out, by_sequence(qkv, LOAD.lengths, torch.float32), atol=1e-5)
