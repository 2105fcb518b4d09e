"""The ops with their kernels interpreted: the same calls as without, and nothing falls back."""

import logging

import pytest
import torch
from torch.library import opcheck

from kernels import ops, reference
from tests.kernels.devices import INTERPRETED, packed
from tests.kernels.on_device.rows import assert_as_exact_as, doubled
from tests.kernels.op_cases import LENGTHS, NAMES, attention_calls, bounds, normal, row_calls, twin

CALLS = attention_calls() | row_calls()
RAW = {
    "varlen_attention": (17, 0.125, True, None, 64),
    "varlen_attention_qkv": (17, 0.125, False, None, 64),
    "padded_attention": (0.125,),
    "residual_layer_norm": (1e-5,),
    "embed_layer_norm": (1e-5,),
    "bias_gelu": (),
}


def several(results):
    return results if isinstance(results, tuple) else (results,)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_an_op_runs_its_kernel_and_errs_no_more_than_its_twin(name, dtype, caplog):
    if dtype is torch.float32 and not INTERPRETED and "attention" in name:
        pytest.skip("fp32 products are TF32 on a GPU")
    call, tensors = (attention_calls(dtype=dtype) | row_calls(dtype=dtype))[name]
    assert ops.why_not(tensors[-1].to(dtype), head_dim=64, columns=48) == ()
    with caplog.at_level(logging.WARNING, logger="kernels"):
        out = several(call(getattr(ops, name), *tensors))
    assert not [message for message in caplog.messages if "copies" not in message]
    unfused = several(call(twin(name), *tensors))
    exact = several(call(twin(name), *doubled(*tensors)))
    for y, plain, true in zip(out, unfused, exact, strict=True):
        assert_as_exact_as(y, plain, true)


@pytest.mark.parametrize("with_table", [True, False], ids=["table", "no table"])
@pytest.mark.parametrize("name", ["varlen_attention", "varlen_attention_qkv"])
def test_nothing_behind_the_last_bound_is_read(name, with_table, monkeypatch):
    """More tokens than the bounds tell of, and behind them a number that makes a sequence of the rest."""
    nowhere = torch.full((200, 2, 64), 7.0)
    plain = torch.Tensor.new_empty
    monkeypatch.setattr(
        torch.Tensor,
        "new_empty",
        lambda like, *size, **how: nowhere.clone() if size == nowhere.shape else plain(like, *size, **how),
    )
    cu_seqlens = torch.tensor([0, 64, 100, 150], dtype=torch.int32)[:3]
    qkv = normal(200, 3, 2, 64)
    given = (qkv,) if name.endswith("qkv") else qkv.unbind(1)
    blocks = packed([64, 36]).blocks if with_table else None
    out = getattr(ops, name)(*given, cu_seqlens, 64, blocks=blocks)
    assert torch.equal(out[100:], nowhere[100:])
    exact = reference.cu_seqlens_attention(*qkv.unbind(1), cu_seqlens, 64)
    torch.testing.assert_close(out[:100], exact[:100])


@pytest.mark.parametrize("name", NAMES)
def test_opcheck_finds_no_fault(name):
    opcheck(getattr(torch.ops.stilts, name).default, (*CALLS[name][1], *RAW[name]))


@pytest.mark.parametrize("name", NAMES)
def test_compiled_whole_and_for_any_length_an_op_agrees(name):
    torch._dynamo.reset()
    function = getattr(ops, name)
    compiled = torch.compile(
        lambda call, *tensors: call(function, *tensors), fullgraph=True, dynamic=True, backend="aot_eager"
    )
    with torch.no_grad():
        for size in (5, 8):
            call, tensors = (attention_calls([size, 0, 2 * size]) | row_calls(rows=size))[name]
            expected = call(function, *tensors)
            torch.testing.assert_close(compiled(call, *tensors), expected, rtol=0.0, atol=0.0)


@pytest.mark.parametrize("block_m", [64, 128])
def test_a_table_of_blocks_gives_the_same_bits(block_m, guard):
    lengths = [5, 0, 70, 1]
    batch = packed(lengths, block_m)
    qkv = normal(sum(lengths), 3, 2, 64)
    bounds_and_longest = (batch.cu_seqlens, batch.max_seqlen)
    expected = ops.varlen_attention_qkv(qkv, *bounds_and_longest, block_m=block_m)
    out = ops.varlen_attention_qkv(qkv, *bounds_and_longest, blocks=batch.blocks, block_m=block_m)
    assert torch.equal(out, expected)
    guard.assert_margins_untouched()


def test_a_block_size_without_a_tile_is_refused():
    with pytest.raises(ValueError, match="no tile of 32 queries"):
        ops.varlen_attention_qkv(normal(9, 3, 2, 64), bounds([9]), 9, block_m=32)


def test_unaligned_tensors_are_copied_and_the_result_is_the_same():
    q, k, v = normal(3, sum(LENGTHS), 2, 64)
    expected = ops.varlen_attention(q, k, v, bounds(LENGTHS), 17)
    shifted = torch.cat((torch.zeros(1), q.flatten()))[1:].view(q.shape)
    odd = torch.cat((k, k[..., :3]), -1)[..., :64]
    scattered = v.transpose(1, 2).contiguous().transpose(1, 2)
    assert torch.equal(ops.varlen_attention(shifted, odd, scattered, bounds(LENGTHS), 17), expected)
    qkv = torch.stack((q, k, v), 2).transpose(1, 2)
    assert torch.equal(ops.varlen_attention_qkv(qkv, bounds(LENGTHS), 17), expected)
    row = torch.arange(65.0)[1:]
    x = torch.cat((torch.zeros(1), q.flatten()))[1:].view(-1, 64)
    assert torch.equal(ops.bias_gelu(x, row), ops.bias_gelu(x.clone(), row.clone()))


def test_heads_of_another_size_fall_back_and_say_so():
    call, tensors = attention_calls(head_dim=48)["varlen_attention"]
    assert ops.why_not(tensors[0], head_dim=48) == ("head size 48 is none of 32, 64, 128",)
    out, _ = call(ops.varlen_attention, *tensors)
    assert torch.equal(out, call(reference.cu_seqlens_attention, *tensors)[0])


@pytest.mark.skipif(not INTERPRETED, reason="on a GPU nobody looks at the ids")
@pytest.mark.parametrize("ids", [[0, 20], [-1, 0]], ids=str)
def test_a_row_the_table_does_not_have_is_refused(ids):
    _, (_, _, *floats) = row_calls()["embed_layer_norm"]
    with pytest.raises(IndexError, match="ids hold a row"):
        ops.embed_layer_norm(torch.tensor(ids), torch.tensor([0, 1]), *floats, eps=1e-5)


def test_no_sequence_and_no_token_launch_nothing():
    assert ops.varlen_attention_qkv(normal(0, 3, 2, 64), bounds([0, 0]), 0).shape == (0, 2, 64)
    assert ops.varlen_attention(*normal(3, 0, 2, 64), bounds([]), 0).shape == (0, 2, 64)
    out = ops.padded_attention(*normal(3, 2, 2, 4, 64), torch.zeros(2, dtype=torch.int32))
    assert not out.any()
