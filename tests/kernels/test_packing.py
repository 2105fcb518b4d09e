"""Packing: nothing lost, nothing invented, positions as XLM-R counts them."""

import pytest
import torch
from transformers.models.xlm_roberta.modeling_xlm_roberta import XLMRobertaEmbeddings

from kernels.packing import from_lengths, pack, unpack


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
