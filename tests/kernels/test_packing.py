"""Packing: nothing lost, nothing invented, positions as XLM-R counts them."""

import pytest
import torch
from transformers.models.xlm_roberta.modeling_xlm_roberta import XLMRobertaEmbeddings

from kernels.packing import UNUSED, block_table, block_table_on_device, from_lengths, pack, unpack

TABLES = [[], [0], [1], [64], [65, 64, 63], [0, 200, 0, 1, 129, 0], [5] * 40, [128, 128, 256, 0]]


def test_pack_then_unpack_returns_the_batch():
    lengths = [3, 1, 7, 7]
    mask = torch.arange(7) < torch.tensor(lengths)[:, None]
    ids = torch.randint(4, 90, (4, 7)) * mask + ~mask
    packed = pack(ids, mask)
    assert packed.lengths == (3, 1, 7, 7)
    assert packed.cu_seqlens.tolist() == [0, 3, 4, 11, 18]
    assert torch.equal(unpack(packed.ids, packed), ids * mask)


def test_positions_equal_hugging_face():
    mask = torch.arange(6) < torch.tensor([4, 6])[:, None]
    ids = torch.where(mask, 9, 1)
    expected = XLMRobertaEmbeddings.create_position_ids_from_input_ids(ids, padding_idx=1)
    assert torch.equal(pack(ids, mask).positions, expected[mask])


def test_refuses_left_padding_wrong_sums_and_padding_inside():
    with pytest.raises(ValueError, match="right-padded"):
        pack(torch.tensor([[1, 5, 6]]), torch.tensor([[0, 1, 1]]))
    with pytest.raises(ValueError, match="add up to 3"):
        from_lengths(torch.tensor([5, 6]), [3])
    with pytest.raises(ValueError, match="padding id"):
        from_lengths(torch.tensor([5, 1, 6]), [3])


def test_an_empty_batch_is_a_batch():
    packed = from_lengths(torch.empty(0, dtype=torch.int64), [])
    assert packed.max_seqlen == 0
    assert packed.cu_seqlens.tolist() == [0]
    assert packed.blocks.shape == (0, 2)


@pytest.mark.parametrize("block_m", [64, 128])
@pytest.mark.parametrize("lengths", TABLES, ids=str)
def test_the_table_holds_each_block_once_longest_sequence_first(lengths, block_m):
    table = block_table(lengths, block_m)
    assert table.dtype == torch.int32
    assert len(table) == sum(lengths) // block_m + len(lengths)
    rows = [tuple(row) for row in table.tolist()]
    used = [row for row in rows if row[1] != UNUSED]
    assert sorted(used) == [
        (b, i) for b, n in enumerate(lengths) for i in range((n + block_m - 1) // block_m)
    ]
    sizes = [lengths[b] for b, _ in used]
    assert sizes == sorted(sizes, reverse=True)
    assert rows[len(used) :] == [(0, UNUSED)] * (len(rows) - len(used))


def test_the_bound_on_rows_holds_for_random_lengths():
    generator = torch.Generator().manual_seed(0)
    for _ in range(200):
        count = int(torch.randint(1, 40, (), generator=generator))
        lengths = torch.randint(0, 300, (count,), generator=generator).tolist()
        used = sum((n + 63) // 64 for n in lengths)
        assert used <= len(block_table(lengths, 64))


@pytest.mark.parametrize("block_m", [64, 128])
@pytest.mark.parametrize("lengths", TABLES, ids=str)
def test_the_table_made_on_the_device_is_the_same(lengths, block_m):
    packed = from_lengths(torch.full((sum(lengths),), 9), lengths, block_m=block_m)
    assert torch.equal(packed.blocks, block_table(lengths, block_m))
    assert torch.equal(block_table_on_device(packed.cu_seqlens, sum(lengths), block_m), packed.blocks)


def test_the_table_made_on_the_device_asks_the_device_for_nothing():
    # A meta tensor holds no values: whoever asks for one raises.
    table = block_table_on_device(torch.empty(7, dtype=torch.int32, device="meta"), 500, 64)
    assert table.shape == (500 // 64 + 6, 2)
    assert table.dtype == torch.int32


def test_moving_moves_every_tensor():
    packed = from_lengths(torch.tensor([5, 6, 7]), [1, 2]).to("meta")
    tensors = (packed.ids, packed.positions, packed.cu_seqlens, packed.blocks)
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    assert packed.lengths == (1, 2)
