"""The forms of the encoder that answer, against the one that trains."""

import copy

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from kernels.packing import from_lengths
from stilts.model.encoder import EncoderConfig, PackedEncoder, for_inference
from stilts.model.encoder.cpu import CpuEncoder, chunks_of
from stilts.model.encoder.fused import FusedEncoder
from stilts.model.encoder.graphs import Bucket, GraphedEncoder, bucket_sizes, fill
from stilts.model.heads import HeadSpec
from stilts.model.multitask import Model

CONFIG = EncoderConfig(
    hidden_size=64,
    num_hidden_layers=3,
    num_attention_heads=2,
    intermediate_size=128,
    vocab_size=97,
    max_position_embeddings=402,
)
LENGTHS = [
    [1],
    [7, 7, 7],
    [3, 400, 1, 17, 16, 15, 200, 2],
    [5, 4, 3, 2, 1],
    [64] * 20 + [3] * 30,
    [2, 0, 3],
]


@pytest.fixture(scope="module")
def encoder():
    made = PackedEncoder(CONFIG, dropout=0.1)
    made.reinitialise(0)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return made.eval()


def batch(lengths, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return from_lengths(torch.randint(4, 97, (sum(lengths),), generator=generator), lengths)


@pytest.mark.parametrize("lengths", LENGTHS, ids=lambda lengths: f"B{len(lengths)}-S{max(lengths)}")
@pytest.mark.parametrize("form", [CpuEncoder, FusedEncoder])
def test_every_layer_is_as_the_trained_form(encoder, form, lengths):
    packed, fast = batch(lengths), form(encoder)
    with torch.inference_mode():
        for layers in (None, 0, 1, 3):
            assert (fast(packed, layers=layers) - encoder(packed, layers=layers)).abs().max() <= 2e-5


@pytest.mark.parametrize("form", [CpuEncoder, FusedEncoder])
def test_16_bits_are_as_exact_as_the_trained_form(encoder, form):
    packed = batch(LENGTHS[2])
    half = copy.deepcopy(encoder).bfloat16()
    with torch.inference_mode():
        exact = encoder(packed)
        theirs, ours = (half(packed) - exact).abs().mean(), (form(half)(packed) - exact).abs().mean()
    assert ours <= 1.25 * theirs


def test_what_cannot_be_answered_is_refused(encoder):
    for form in (CpuEncoder(encoder), FusedEncoder(encoder)):
        with pytest.raises(ValueError, match="401 tokens; the encoder takes 400"):
            form(batch([401]))
        with pytest.raises(ValueError, match="layer 4"):
            form(batch([3]), layers=4)
    with pytest.raises(ValueError, match=r"float64 weights cannot be packed"):
        CpuEncoder(copy.deepcopy(encoder).double())


def test_chunks_hold_every_token_once_and_groups_little_padding():
    generator = torch.Generator().manual_seed(3)
    lengths = torch.randint(1, 130, (300,), generator=generator).tolist()
    chunks = chunks_of(lengths, heads=12)
    rows = torch.cat([chunk.rows for chunk in chunks])
    assert sorted(rows.tolist()) == list(range(sum(lengths)))
    for chunk in chunks:
        sizes = [size for group in chunk.groups for size in group.lengths]
        assert sum(sizes) == len(chunk.rows)
        assert sizes == sorted(sizes)
        padded = sum(len(group.lengths) * max(group.lengths) for group in chunk.groups)
        assert padded <= 1.15 * len(chunk.rows)


def test_a_batch_in_a_bucket_gives_the_rows_it_gives_alone(encoder):
    bucket = Bucket(tokens=256, block_m=64)
    fused, inputs = FusedEncoder(encoder), bucket.blank(longest=400)
    for seed, lengths in enumerate([[50, 3, 90], [1], [64, 64, 64, 64], [256], [9] * 28]):
        packed = batch(lengths, seed)
        assert bucket.fits(packed)
        fill(inputs, packed)
        with torch.inference_mode():
            got, alone = fused(inputs)[: sum(lengths)], fused(packed)
        assert (got - alone).abs().max() <= 2e-6


@pytest.mark.parametrize("count", [1, 8, 32])
@pytest.mark.parametrize(
    ("median", "spread", "longest"), [(42, 0.45, 128), (210, 0.4, 384)], ids=["pairs", "qa"]
)
def test_a_replay_computes_little_more_than_its_batch(count, median, spread, longest):
    """Lengths as of XNLI's pairs and of SQuAD's windows."""
    generator = torch.Generator().manual_seed(count)
    lengths = median * torch.exp(spread * torch.randn(1000, count, generator=generator))
    totals = lengths.round().clamp(10, longest).sum(1)
    sizes = torch.tensor(bucket_sizes())
    waste = [float(sizes[sizes >= total][0] / total) - 1 for total in totals if total <= sizes[-1]]
    if (count, median) == (32, 210):
        assert not waste, "so many tokens are launched without a graph"
        return
    assert sum(waste) / len(waste) < 0.1
    assert max(waste) < 0.2


def test_sizes_of_buckets_grow_to_the_last():
    sizes = bucket_sizes()
    assert (sizes[0], sizes[-1]) == (8, 4096)
    assert sorted(set(sizes)) == list(sizes)
    assert len(sizes) < 50
    assert bucket_sizes(5) == (5,)


def test_inputs_made_in_inference_mode_are_written_to_in_any(encoder):
    bucket = Bucket(tokens=64, block_m=64)
    with torch.inference_mode():
        inputs = bucket.blank(longest=400)
    with torch.no_grad():
        fill(inputs, batch([9]))
    assert inputs.ids[:9].tolist() == batch([9]).ids.tolist()


def test_a_bucket_takes_what_has_room_in_it():
    bucket = Bucket(tokens=64, block_m=64)
    assert bucket.fits(batch([64]))
    assert bucket.fits(batch([8] * 8))
    assert not bucket.fits(batch([65]))
    assert not bucket.fits(batch([1] * 9))
    assert not bucket.fits(from_lengths(batch([4]).ids, [4], block_m=128))


def test_on_a_cpu_weights_are_packed_whatever_back_end_is_asked_for(encoder):
    fast = for_inference(encoder, attention="triton")
    assert isinstance(fast, CpuEncoder)
    assert fast.attention == "sdpa"
    assert for_inference(copy.deepcopy(encoder).double(), attention="sdpa").attention == "sdpa"


def test_a_model_for_inference_answers_as_the_one_that_trained(encoder):
    spec = HeadSpec(kind="tag", labels=("A", "B"))
    model = Model(encoder, {"head": spec}, seed=1).eval()
    fast = model.for_inference()
    packed = batch([5, 9])
    assert fast.specs == model.specs
    with torch.inference_mode():
        ours, theirs = fast.encoder(packed), model.encoder(packed)
        assert (fast.heads["head"](ours) - model.heads["head"](theirs)).abs().max() <= 2e-5


class Counting(TorchDispatchMode):
    """Names the operations that would launch a kernel: views and look-ups launch none."""

    def __init__(self):
        super().__init__()
        self.launched = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.name()
        if name.startswith("stilts::") or not func.is_view:
            self.launched.append(name)
        return func(*args, **(kwargs or {}))


def test_a_layer_is_eight_kernels_four_of_them_products(encoder):
    packed, fused = batch([5, 9]), FusedEncoder(encoder)
    counted = []
    for layers in (0, 1, 3):
        with torch.inference_mode(), Counting() as counting:
            fused(packed, layers=layers)
        counted.append([name for name in counting.launched if "detach" not in name])
    assert [len(launched) for launched in counted] == [1, 1 + 8, 1 + 3 * 8]
    assert counted[1].count("aten::linear") == 4


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_graphs_answer_as_launched_kernels(encoder):
    on_gpu = copy.deepcopy(encoder).to("cuda", torch.bfloat16)
    fused = FusedEncoder(on_gpu)
    graphed = GraphedEncoder(fused, tokens=(64, 256))
    graphed.warm_up()
    with torch.inference_mode():
        for lengths in ([5], [64], [100, 20], [1, 2, 3], [200, 56], [300]):
            packed = batch(lengths).to("cuda")
            assert (graphed(packed) - fused(packed)).abs().max() <= 2e-2
