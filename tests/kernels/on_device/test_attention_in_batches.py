"""A sequence's bits do not depend on its company, its place, or the order of the work."""

import pytest
import torch

from kernels.packing import UNUSED
from tests.kernels.devices import generator
from tests.kernels.on_device.oracle import DTYPES, LENGTHS, Case, attend, case

LAYOUTS = ("packed_qkv", "strided", "padded")


def rows(case, results):
    """What each sequence got: [n, H, D], and [H, n] where there is a log-sum-exp."""
    out, lse = results
    outs = out.split(case.lengths)
    return list(zip(outs, lse.split(case.lengths, 1) if lse is not None else outs, strict=True))


def assert_same_bits(ours, theirs):
    for got, expected in zip(ours, theirs, strict=True):
        assert torch.equal(got, expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_alone_as_in_a_batch(dtype):
    mixed = case(LENGTHS, dtype, heads=1)
    together = rows(mixed, attend(mixed))
    for qkv, expected in zip(mixed.sequences(), together, strict=True):
        alone = Case(qkv=qkv.contiguous(), lengths=(len(qkv),))
        assert_same_bits(rows(alone, attend(alone))[0], expected)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_permuting_sequences_permutes_results(layout):
    some = case((65, 1, 130, 64, 17), "bf16")
    order = [3, 0, 4, 2, 1]
    parts = some.sequences()
    shuffled = Case(qkv=torch.cat([parts[b] for b in order]), lengths=tuple(some.lengths[b] for b in order))
    before, after = rows(some, attend(some, layout)), rows(shuffled, attend(shuffled, layout))
    for place, b in enumerate(order):
        assert_same_bits(after[place], before[b])


@pytest.mark.parametrize("layout", ["packed_qkv", "strided"])
@pytest.mark.parametrize("block_m", [64, 128])
def test_any_order_of_the_table_and_any_number_of_empty_rows(layout, block_m):
    some = case((65, 1, 200, 0), "fp16")
    table = some.packed(block_m).blocks
    order = torch.randperm(len(table), generator=generator(0))
    empty = torch.tensor([[0, UNUSED]] * 3, dtype=torch.int32)
    longer = torch.cat((empty, table[order], empty))
    assert_same_bits(attend(some, layout, block_m, blocks=longer), attend(some, layout, block_m))


@pytest.mark.parametrize("dtype", DTYPES)
def test_blocks_of_64_queries_as_blocks_of_128(dtype):
    some = case((65, 1, 200, 128), dtype)
    assert_same_bits(attend(some, block_m=64), attend(some, block_m=128))


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_three_layouts_agree(dtype):
    some = case((65, 1, 0, 129), dtype)
    packed, strided, padded = (attend(some, layout) for layout in LAYOUTS)
    assert_same_bits(packed, strided)
    assert torch.equal(packed[0], padded[0])


def test_each_row_of_the_table_writes_its_block_and_nothing_else(guard):
    some = case((65, 1, 130))
    complete, _ = attend(some)
    table = some.packed().blocks
    starts = some.packed().cu_seqlens.tolist()
    for left_out, (sequence, block) in enumerate(table.tolist()):
        if block == UNUSED:
            continue
        kept = torch.cat((table[:left_out], table[left_out + 1 :]))
        out, lse = attend(some, blocks=kept)
        begin = starts[sequence] + 64 * block
        missing = torch.zeros(len(out), dtype=torch.bool)
        missing[begin : min(begin + 64, starts[sequence + 1])] = True
        assert out[missing].isnan().all()
        assert lse[:, missing].isnan().all()
        assert torch.equal(out[~missing], complete[~missing])
    guard.assert_margins_untouched()


def test_rows_that_are_not_used_write_nothing(guard):
    some = case((65, 1, 130))
    out, lse = attend(some, blocks=torch.tensor([[0, UNUSED], [2, UNUSED]], dtype=torch.int32))
    assert out.isnan().all()
    assert lse.isnan().all()
    guard.assert_margins_untouched()
