"""The ops as they are without GPU and interpreter: registered, compiled whole, as exact as their twins."""

import pytest
import torch
from torch.library import opcheck

from kernels import ops, reference
from kernels.packing import from_lengths
from tests.kernels.op_cases import LENGTHS, NAMES, attention_calls, bounds, normal, row_calls, twin


@pytest.mark.parametrize("name", NAMES)
def test_on_the_cpu_an_op_gives_what_its_twin_gives(name):
    call, tensors = (attention_calls() | row_calls())[name]
    torch.testing.assert_close(
        call(getattr(ops, name), *tensors), call(twin(name), *tensors), rtol=0.0, atol=0.0
    )


RAW = {
    "varlen_attention": (*attention_calls()["varlen_attention"][1], 17, 0.125, True, None, 64),
    "varlen_attention_qkv": (*attention_calls()["varlen_attention_qkv"][1], 17, 0.125, False, None, 64),
    "padded_attention": (*attention_calls()["padded_attention"][1], 0.125),
    "residual_layer_norm": (*row_calls()["residual_layer_norm"][1], 1e-5),
    "embed_layer_norm": (*row_calls()["embed_layer_norm"][1], 1e-5),
    "bias_gelu": row_calls()["bias_gelu"][1],
}


@pytest.mark.parametrize("name", NAMES)
def test_opcheck_finds_no_fault(name):
    opcheck(getattr(torch.ops.stilts, name).default, RAW[name])


def transposed(x):
    return x.transpose(-1, -2).contiguous().transpose(-1, -2)


@pytest.mark.parametrize("name", NAMES)
def test_opcheck_finds_no_fault_with_other_strides_and_nothing_to_do(name):
    overload = getattr(torch.ops.stilts, name).default
    spread = [
        transposed(x) if isinstance(x, torch.Tensor) and x.dim() > 1 and x.is_floating_point() else x
        for x in RAW[name]
    ]
    opcheck(overload, spread)
    empty = {
        "varlen_attention": (*normal(3, 0, 2, 64), bounds([0, 0]), 0, 0.125, True, None, 64),
        "varlen_attention_qkv": (normal(0, 3, 2, 64), bounds([]), 0, 0.125, False, None, 64),
        "padded_attention": (*normal(3, 0, 2, 5, 64), torch.zeros(0, dtype=torch.int32), 0.125),
        **{row: (*call[1], 1e-5) for row, call in row_calls(rows=0).items()},
        "bias_gelu": row_calls(rows=0)["bias_gelu"][1],
    }
    opcheck(overload, empty[name])


@pytest.mark.parametrize("name", NAMES)
def test_compiled_whole_and_for_any_length_an_op_agrees(name):
    torch._dynamo.reset()
    function = getattr(ops, name)
    compiled = torch.compile(
        lambda call, *tensors: call(function, *tensors), fullgraph=True, dynamic=True, backend="aot_eager"
    )
    with torch.no_grad():
        for size in (5, 8, 13):
            calls = attention_calls([size, 3, 0, 2 * size]) | row_calls(rows=size)
            call, tensors = calls[name]
            expected = call(function, *tensors)
            torch.testing.assert_close(compiled(call, *tensors), expected, rtol=0.0, atol=0.0)


def test_a_table_of_blocks_changes_nothing_on_the_cpu():
    packed = from_lengths(torch.full((sum(LENGTHS),), 9), LENGTHS)
    qkv = normal(sum(LENGTHS), 3, 2, 64)
    expected = ops.varlen_attention_qkv(qkv, packed.cu_seqlens, packed.max_seqlen)
    out = ops.varlen_attention_qkv(qkv, packed.cu_seqlens, packed.max_seqlen, blocks=packed.blocks)
    assert torch.equal(out, expected)


def test_no_sequence_and_no_token_give_nothing():
    out, lse = ops.varlen_attention_qkv(normal(0, 3, 2, 64), bounds([]), 0, return_lse=True)
    assert (out.shape, lse.shape, lse.dtype) == ((0, 2, 64), (2, 0), torch.float32)
    assert ops.varlen_attention_qkv(normal(0, 3, 2, 64), bounds([0, 0]), 0).shape == (0, 2, 64)
    assert ops.padded_attention(*normal(3, 2, 2, 0, 64), torch.zeros(2, dtype=torch.int32)).shape == (
        2,
        2,
        0,
        64,
    )


def test_a_sequence_without_tokens_is_not_a_number_nowhere():
    out = ops.padded_attention(*normal(3, 2, 2, 4, 64), torch.tensor([0, 4], dtype=torch.int32))
    assert not out[0].any()
    assert out[1].isfinite().all()


def on_gpu(tensors):
    return [x.cuda() for x in tensors]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_on_a_gpu_the_kernel_errs_no_more_than_pytorch(name, dtype):
    calls = attention_calls([63, 1, 200, 0, 128], dtype=dtype) | row_calls(rows=33, columns=768, dtype=dtype)
    call, tensors = calls[name]
    assert not ops.why_not(tensors[-1].cuda().to(dtype), head_dim=64, columns=768)
    exact = call(twin(name), *(x.double() if x.is_floating_point() else x for x in tensors))
    out, unfused = (call(f, *on_gpu(tensors)) for f in (getattr(ops, name), twin(name)))
    for y, plain, true in zip(
        *(x if isinstance(x, tuple) else (x,) for x in (out, unfused, exact)), strict=True
    ):
        error, allowed = ((x.cpu().double() - true).abs().max() for x in (y, plain))
        assert error <= 2 * allowed + 1e-5


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_a_gpu_a_head_size_without_a_kernel_goes_to_varlen():
    call, tensors = attention_calls([63, 1, 200], head_dim=96, dtype=torch.bfloat16)["varlen_attention"]
    out, lse = call(ops.varlen_attention, *on_gpu(tensors))
    exact, exact_lse = call(
        reference.cu_seqlens_attention, *(x.double() if x.is_floating_point() else x for x in tensors)
    )
    torch.testing.assert_close(out.cpu().double(), exact, rtol=2e-2, atol=2e-2)
    torch.testing.assert_close(lse.cpu().double(), exact_lse, rtol=1e-3, atol=1e-3)
