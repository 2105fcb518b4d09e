"""The forms of the encoder that answer, against the one that trains."""

import copy

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from hpc.dtypes import DTYPES
from kernels.packing import Packed, Room, from_lengths, room_for, rooms, sizes
from stilts.model.encoder import EncoderConfig, PackedEncoder, for_inference, inference
from stilts.model.encoder.cpu import CpuEncoder, chunks_of, supported
from stilts.model.encoder.fused import FusedEncoder
from stilts.model.encoder.graphs import GraphedEncoder, full, whole
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


def by_tiles(encoder, has_tiles=True):
    """As on a processor that multiplies by tiles, whether or not this one does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stilts.model.encoder.cpu.has_tiles", lambda dtype: has_tiles)
        return CpuEncoder(encoder)


def without_tiles(encoder):
    return by_tiles(encoder, has_tiles=False)


FORMS = [by_tiles, without_tiles, FusedEncoder]
packs_bf16 = pytest.mark.skipif(
    not supported(torch.bfloat16), reason="oneDNN multiplies no bf16 on this processor"
)


@pytest.mark.parametrize("lengths", LENGTHS, ids=lambda lengths: f"B{len(lengths)}-S{max(lengths)}")
@pytest.mark.parametrize("form", FORMS)
def test_every_layer_is_as_the_trained_form(encoder, form, lengths):
    packed, fast = batch(lengths), form(encoder)
    with torch.inference_mode():
        for layers in (None, 0, 1, 3):
            assert (fast(packed, layers=layers) - encoder(packed, layers=layers)).abs().max() <= 2e-5


@pytest.mark.parametrize("form", FORMS)
def test_a_callers_autocast_changes_nothing(encoder, form):
    packed, fast = batch(LENGTHS[2]), form(encoder)
    with torch.no_grad():
        alone = fast(packed)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert torch.equal(fast(packed), alone)


@pytest.mark.parametrize(
    "form", [pytest.param(form, marks=() if form is FusedEncoder else packs_bf16) for form in FORMS]
)
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


@pytest.mark.parametrize("tiles", [False, True])
def test_chunks_hold_every_token_once_and_groups_little_padding(tiles):
    generator = torch.Generator().manual_seed(3)
    lengths = torch.randint(1, 130, (300,), generator=generator).tolist()
    chunks = chunks_of(lengths, heads=12, tiles=tiles)
    rows = torch.cat([chunk.rows for chunk in chunks])
    assert sorted(rows.tolist()) == list(range(sum(lengths)))
    for chunk in chunks:
        sizes = [size for group in chunk.groups for size in group.lengths]
        assert sum(sizes) == len(chunk.rows)
        assert sizes == sorted(sizes)
        held = [sum(group.lengths) if group.gather is None else len(group.gather) for group in chunk.groups]
        for size, group in zip(held, chunk.groups, strict=True):
            assert size >= len(group.lengths) * max(group.lengths)
        assert sum(held) <= (len(chunk.rows) + 15 * len(sizes) if tiles else 1.15 * len(chunk.rows))


def test_a_batch_gives_the_same_rows_in_a_graphs_shapes(encoder):
    """What is captured is the whole room; what a batch leaves unused changes nothing."""
    fused, room = FusedEncoder(encoder), room_for(256, 4, 64)
    inputs = whole(full(room, longest=400))
    assert (len(inputs.ids), len(inputs.lengths), len(inputs.blocks)) == (
        room.tokens,
        room.sequences,
        room.rows,
    )
    for seed, lengths in enumerate([[50, 3, 190], [room.tokens], [64, 64, 64, 64], [9] * 27]):
        packed = batch(lengths, seed)
        assert packed.room == room
        inputs.arena.copy_(packed.arena)
        graphs_own = Packed.of(inputs.arena, room, whole(packed).lengths)
        with torch.inference_mode():
            got, alone = fused(graphs_own)[: sum(lengths)], fused(packed)
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
    found = [(room_for(int(total), count, 64), total) for total in totals]
    waste = [float(room.tokens / total) - 1 for room, total in found if room.shared]
    if (count, median) == (32, 210):
        assert not waste, "so many tokens are launched without a graph"
        return
    assert sum(waste) / len(waste) < 0.1
    assert max(waste) < 0.2


def test_sizes_of_rooms_grow_to_the_last():
    found = sizes()
    assert (found[0], found[-1]) == (8, 4096)
    assert sorted(set(found)) == list(found)
    assert len(found) < 50
    assert sizes(5) == (5,)


def test_inputs_made_in_inference_mode_are_written_to_in_any():
    room = rooms()[0]
    with torch.inference_mode(), torch.inference_mode(False):
        arena = full(room, longest=400).arena
    with torch.no_grad():
        arena.copy_(batch([room.tokens]).arena)
    assert arena[: room.tokens].tolist() == batch([room.tokens]).ids.tolist()


def test_batches_of_about_one_size_share_a_room_and_others_have_their_own():
    assert batch([60]).room == batch([20, 41]).room
    assert batch([60]).room.shared
    assert batch([1] * 9).room == Room(9, 9, 64)
    assert not batch([1] * 9).room.shared
    assert not batch([400] * 11).room.shared
    assert from_lengths(batch([60]).ids, [60], block_m=128).room != batch([60]).room


def test_the_back_end_that_is_said_is_the_one_that_runs(encoder, monkeypatch):
    from stilts.model.encoder import fused

    ran = []
    for name, attend in list(fused._BACKENDS.items()):
        monkeypatch.setitem(
            fused._BACKENDS, name, lambda *a, name=name, attend=attend: ran.append(name) or attend(*a)
        )
    form = FusedEncoder(encoder, attention="triton")
    with torch.inference_mode():
        form(batch([5, 9]))
    assert set(ran) == {form.attention}


def test_on_a_cpu_weights_are_packed_whatever_back_end_is_asked_for(encoder):
    fast = for_inference(encoder, attention="triton")
    assert isinstance(fast, CpuEncoder)
    assert fast.attention == "sdpa"


@pytest.mark.parametrize("packs", [True, False], ids=["as-here", "packs-none"])
@pytest.mark.parametrize("dtype", [*DTYPES.values(), torch.float64])
def test_every_type_is_answered_in_on_any_processor(encoder, dtype, packs, monkeypatch, caplog):
    if not packs:
        monkeypatch.setattr("stilts.model.encoder.inference.supported", lambda dtype: False)
    inference._say.cache_clear()
    typed, packed = copy.deepcopy(encoder).to(dtype), batch(LENGTHS[2])
    fast = for_inference(typed, attention="sdpa")
    assert fast.attention == "sdpa"
    with torch.inference_mode():
        got, exact = fast(packed), encoder(packed)
    assert got.dtype == dtype
    assert (got - exact).abs().mean() <= 0.05
    is_told = f"{dtype}".removeprefix("torch.") in caplog.text
    assert is_told == (fast is typed)


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


def test_a_layer_is_five_operations_four_of_them_with_a_product(encoder):
    from stilts.model.encoder.fused import _BACKENDS

    packed, fused = batch([5, 9]), FusedEncoder(encoder)
    fused._attend = _BACKENDS["triton"]
    counted = []
    for layers in (0, 1, 3):
        with torch.inference_mode(), Counting() as counting:
            fused(packed, layers=layers)
        counted.append([name for name in counting.launched if "detach" not in name])
    assert [len(launched) for launched in counted] == [1, 1 + 5, 1 + 3 * 5]
    assert sum("linear" in name for name in counted[1]) == 4


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_graphs_answer_as_launched_kernels(encoder):
    on_gpu = copy.deepcopy(encoder).to("cuda", torch.bfloat16)
    fused = FusedEncoder(on_gpu)
    graphed = GraphedEncoder(fused, rooms=(room_for(64, 1, 64), room_for(256, 1, 64)))
    graphed.warm_up()
    with torch.inference_mode():
        for lengths in ([5], [64], [100, 20], [1, 2, 3], [200, 56], [300]):
            packed = batch(lengths).to("cuda")
            assert (graphed(packed) - fused(packed)).abs().max() <= 2e-2
