"""The bench's encoder: Hugging Face's numbers from eight operations a layer."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from kernels.bench.case import Plan, run
from kernels.bench.chips import named
from kernels.bench.encoder import Weights, forward, random_state
from kernels.bench.model import Models, count_launches, in_chunks, pad
from kernels.bench.roofline import LARGE, Shape
from kernels.bench.workloads import Workload
from kernels.packing import from_lengths

SMALL = Shape(layers=2, hidden=64, heads=2, intermediate=128, vocabulary=50, positions=40)
LENGTHS = (5, 1, 30, 12, 2, 2, 7, 3, 9, 4)


@pytest.fixture(scope="module")
def models():
    return Models(SMALL, dtype=torch.float32, device="cpu")


@pytest.fixture
def ids():
    return torch.randint(4, SMALL.vocabulary, (sum(LENGTHS),), generator=torch.Generator().manual_seed(3))


@torch.no_grad()
def test_the_forward_pass_equals_hugging_face(models, ids):
    out = forward(models.weights, from_lengths(ids, LENGTHS))
    wanted = in_chunks(models.exact, ids, LENGTHS, "cpu")
    assert out.shape == wanted.shape == (sum(LENGTHS), 64)
    assert (out - wanted).abs().max() < 5e-6


@torch.no_grad()
@pytest.mark.parametrize(
    "name",
    [
        "attention.self.key.bias",
        "attention.output.dense.bias",
        "intermediate.dense.bias",
        "output.dense.bias",
    ],
)
def test_every_bias_counts(models, ids, name):
    packed = from_lengths(ids, LENGTHS)
    state = dict(models.state)
    state[f"encoder.layer.1.{name}"] = state[f"encoder.layer.1.{name}"] + 0.1 * torch.randn(
        state[f"encoder.layer.1.{name}"].shape, generator=torch.Generator().manual_seed(1)
    )
    out = forward(Weights.of(state, SMALL), packed)
    difference = (out - forward(models.weights, packed)).abs().max()
    # A constant added to all scores of a query changes no weight: the key's bias alone cannot matter.
    assert (difference < 5e-6) == (name == "attention.self.key.bias")


class Counting(TorchDispatchMode):
    """Names of the operations that compute: views launch nothing."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if not func.is_view:
            self.names.append(str(func))
        return func(*args, **(kwargs or {}))


@torch.no_grad()
def test_eight_operations_a_layer(models, ids):
    packed = from_lengths(ids, LENGTHS)
    with Counting() as counting:
        forward(models.weights, packed)
    names = [name.split(".")[1] for name in counting.names]
    layer = [
        *("addmm", "varlen_attention_qkv", "mm", "residual_layer_norm"),
        *("mm", "bias_gelu", "mm", "residual_layer_norm"),
    ]
    assert names == ["embed_layer_norm", *layer * SMALL.layers]


def test_launches_are_counted_without_copies():
    names = ["gemm"] * 16 + ["norm", "Memcpy HtoD", "Memset (Device)"]
    counted = count_launches(names, layers=2)
    assert counted["total"] == 17
    assert counted["per_layer"] == 8.0
    assert counted["copies"] == 2
    assert counted["kernels"] == {"gemm": 16, "norm": 1}


def test_padding_is_on_the_right():
    ids_BS, mask_BS = pad(torch.tensor([5, 6, 7, 8]), (1, 3))
    assert ids_BS.tolist() == [[5, 1, 1], [6, 7, 8]]
    assert mask_BS.tolist() == [[1, 0, 0], [1, 1, 1]]


def test_the_random_state_is_hugging_face_s(models):
    state = random_state(SMALL, device="cpu", dtype=torch.float32)
    assert state.keys() == models.exact.state_dict().keys()
    assert LARGE.head_dim == 64
    again = random_state(SMALL, device="cpu", dtype=torch.float32)
    assert all(torch.equal(state[name], again[name]) for name in state)


class Once:
    """Runs each call, and says a microsecond."""

    chip = named("H100 SXM")
    launch, reason = "eager", ""

    def synchronise(self):
        pass

    def prepare(self, call):
        return self

    def cold(self, calls):
        return [1.0] * calls

    warm = cold

    def release(self):
        pass


@pytest.mark.parametrize("lengths", [(7, 7), LENGTHS], ids=["dense", "ragged"])
def test_every_model_passes_its_gate(models, lengths):
    case = models.case(Workload(name="x", lengths=lengths), named("H100 SXM"))
    rows = run(case, Once(), Plan(fewest=1, most=1, rounds=1))
    statuses = {row.variant: row.status for row in rows}
    # torch's variable-length attention runs on a GPU only, and says so.
    assert statuses.pop("packed, torch varlen") == "unavailable"
    assert statuses == dict.fromkeys(
        ["packed", "packed, launched", "hf sdpa, graph", "hf sdpa", "hf eager"], "ok"
    )


@pytest.mark.filterwarnings("ignore:CUDA is not available")
def test_without_a_gpu_the_profiler_sees_no_launches(models, monkeypatch):
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    assert models.launches(Workload(name="x", lengths=(4, 3))) is None


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_eight_launches_a_layer_on_a_gpu():
    shape = Shape(layers=2, hidden=1024, heads=16, intermediate=4096, vocabulary=50)
    counted = Models(shape, dtype=torch.bfloat16, device="cuda").launches(
        Workload(name="x", lengths=(128,) * 8)
    )
    assert counted["per_layer"] == 8.0, counted
