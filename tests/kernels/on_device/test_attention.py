"""The attention kernels against float64, and against what they must not touch."""

import pytest
import torch

from kernels.attention import run_packed_qkv, run_padded, run_strided
from kernels.tiles import Tile
from tests.kernels.devices import generator
from tests.kernels.on_device.oracle import (
    DTYPES,
    LENGTHS,
    Case,
    assert_accurate,
    assert_same_sums,
    attend,
    case,
    exact,
    sdpa_error,
)

TILE = Tile(64, 64, 4, 2)
LAYOUTS = ("packed_qkv", "strided", "padded")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("block_m", [64, 128])
@pytest.mark.parametrize("dtype", DTYPES)
def test_mixed_lengths(layout, block_m, dtype, guard):
    mixed = case(LENGTHS, dtype)
    assert_accurate(mixed, *attend(mixed, layout, block_m))
    guard.assert_margins_untouched()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("head_dim", "block_m"), [(32, 128), (128, 64)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_other_head_sizes(layout, head_dim, block_m, dtype):
    mixed = case((17, 65, 0, 128), dtype, heads=3, head_dim=head_dim)
    assert_accurate(mixed, *attend(mixed, layout, block_m))


@pytest.mark.parametrize("block_m", [64, 128])
@pytest.mark.parametrize("length", LENGTHS[1:])
def test_one_length_alone(length, block_m, guard):
    alone = case([length], "fp16", heads=1, seed=length)
    for layout in LAYOUTS:
        assert_accurate(alone, *attend(alone, layout, block_m))
    guard.assert_margins_untouched()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_empty_sequence_alone(layout):
    assert attend(case([0]), layout)[0].shape == (0, 2, 64)


def test_nothing_at_all():
    out, lse = attend(case([]))
    assert out.shape == (0, 2, 64)
    assert lse.shape == (2, 0)


def test_without_the_log_sum_exp():
    some = case([70, 3])
    packed = some.packed()
    out, lse = run_packed_qkv(some.qkv, packed.cu_seqlens, packed.blocks, scale=some.scale, tile=TILE)
    assert lse.numel() == 0
    assert torch.equal(out, attend(some)[0])


def views(x, how):
    """The same [T, H, D] laid out in another way."""
    T, H, D = x.shape
    if how == "heads first":
        return x.transpose(0, 1).contiguous().transpose(0, 1)
    if how == "every other head":
        return torch.stack((x, x.new_full((T, H, D), float("nan"))), 2).view(T, 2 * H, D)[:, ::2]
    wide = x.new_full((T + 5, H + 1, D + 16), float("nan"))
    wide[3 : T + 3, 1:, :D] = x
    return wide[3 : T + 3, 1:, :D]


@pytest.mark.parametrize("dtype", DTYPES)
def test_three_tensors_of_three_layouts(dtype):
    some = case((65, 0, 130, 17), dtype)
    packed = some.packed()
    q, k, v = some.qkv.unbind(1)
    q, k, v = views(q, "heads first"), views(k, "every other head"), views(v, "inside a wider one")
    assert len({x.stride() for x in (q, k, v)}) == 3
    out, lse = run_strided(
        q,
        k,
        v,
        packed.cu_seqlens,
        packed.blocks,
        scale=some.scale,
        tile=TILE,
        with_lse=True,
        precision="ieee",
    )
    expected, expected_lse = attend(some)
    assert out.is_contiguous()
    assert torch.equal(out, expected)
    assert torch.equal(lse, expected_lse)


@pytest.mark.parametrize("order", ["BHSD", "BSHD", "HBSD"])
def test_padded_tensors_of_any_layout(order, guard):
    lengths, (H, S, D) = (70, 0, 1, 128, 129), (2, 140, 64)
    shape = dict(zip("BHSD", (len(lengths), H, S, D), strict=True))
    draws = generator(1)
    laid = [torch.randn([shape[axis] for axis in order], generator=draws) for _ in range(3)]
    q, k, v = (x.permute([order.index(axis) for axis in "BHSD"]) for x in laid)
    for b, n in enumerate(lengths):
        for x in (q, k, v):
            x[b, :, n:] = float("nan")  # padding is not read
    sizes = torch.tensor(lengths, dtype=torch.int32)
    out = run_padded(q, k, v, sizes, scale=0.125, tile=TILE, precision="ieee")
    assert out.transpose(1, 2).is_contiguous()
    for b, n in enumerate(lengths):
        assert (out[b, :, n:] == 0).all()
        if n:
            alone = Case(qkv=torch.stack([x[b, :, :n].transpose(0, 1) for x in (q, k, v)], 1), lengths=(n,))
            assert torch.equal(out[b, :, :n].transpose(0, 1), attend(alone)[0])
    guard.assert_margins_untouched()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("layout", ["packed_qkv", "strided"])
def test_other_sequences_are_never_touched(layout):
    lengths = (65, 1, 64, 130, 7, 63)
    clean = case(lengths)
    poisoned = Case(qkv=clean.qkv.clone(), lengths=lengths)
    for b, qkv in enumerate(poisoned.sequences()):
        if b % 2 == 0:
            qkv.fill_(float("nan"))
    for ours, theirs in zip(attend(poisoned, layout), attend(clean, layout), strict=True):
        dim = 0 if ours.dim() == 3 else 1
        pairs = zip(ours.split(lengths, dim), theirs.split(lengths, dim), strict=True)
        for b, (got, expected) in enumerate(pairs):
            assert got.isnan().all() if b % 2 == 0 else torch.equal(got, expected)


def test_memory_around_the_inputs_is_not_read():
    some = case((65, 3, 128), "fp16")
    T = sum(some.lengths)
    buffer = some.qkv.new_full((T + 400, *some.qkv.shape[1:]), float("nan"))
    buffer[200 : 200 + T] = some.qkv
    inside = Case(qkv=buffer[200 : 200 + T], lengths=some.lengths)
    for layout in ("packed_qkv", "strided"):
        assert torch.equal(attend(inside, layout)[0], attend(some, layout)[0])


def test_a_tiny_scale_gives_the_mean_of_the_values():
    some = case((1, 20, 65, 130))
    out, _ = attend(some, scale=1e-30)
    means = [qkv[:, 2].mean(0, keepdim=True).expand(len(qkv), -1, -1) for qkv in some.sequences()]
    torch.testing.assert_close(out, torch.cat(means), atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_scores_a_hundred_times_as_large_stay_finite(dtype):
    some = case((20, 65, 130), dtype)
    large = Case(
        qkv=some.qkv * torch.tensor([10.0, 10.0, 1.0]).to(some.qkv)[:, None, None], lengths=some.lengths
    )
    out, lse = attend(large)
    assert out.isfinite().all()
    assert lse.isfinite().all()
    assert_accurate(large, out, None)
    assert_same_sums(lse, exact(large)[1])


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_order_of_keys_matters_to_rounding_only(dtype):
    some = case([150], dtype)
    order = torch.randperm(150, generator=generator(0))
    qkv = some.qkv.clone()
    qkv[:, 1:] = qkv[order, 1:]
    shuffled = attend(Case(qkv=qkv, lengths=(150,)))[0]
    difference = (shuffled.double() - attend(some)[0].double()).abs().max().item()
    assert difference <= 4 * sdpa_error(some) + 1e-5


@pytest.mark.parametrize("scale", [0.0, -0.125])
def test_a_scale_that_is_not_positive_is_refused(scale):
    some = case([5])
    packed = some.packed()
    q, k, v = some.qkv.unbind(1)
    with pytest.raises(AssertionError):
        run_packed_qkv(some.qkv, packed.cu_seqlens, packed.blocks, scale=scale, tile=TILE)
    with pytest.raises(AssertionError):
        run_strided(q, k, v, packed.cu_seqlens, packed.blocks, scale=scale, tile=TILE)
    with pytest.raises(AssertionError):
        run_padded(*(x.transpose(0, 1)[None] for x in (q, k, v)), torch.tensor([5]), scale=scale, tile=TILE)


def test_a_length_beyond_the_padded_tensor_reads_nothing_behind_it():
    q, k, v = torch.randn(3, 2, 1, 70, 64, generator=generator(2))
    buffer = torch.full((3, 2, 1, 70, 64), float("nan"))
    buffer[:, 0] = torch.stack((q, k, v))[:, 0]
    lengths = torch.tensor([90, -3], dtype=torch.int32)
    out = run_padded(*buffer, lengths, scale=0.125, tile=TILE, precision="ieee")
    sizes = torch.tensor([70, 0], dtype=torch.int32)
    full = run_padded(q, k, v, sizes, scale=0.125, tile=TILE, precision="ieee")
    assert torch.equal(out, full)
