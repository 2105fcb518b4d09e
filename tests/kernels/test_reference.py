"""The twins are definitions: each against the formula written out, in float64."""

import inspect
import math

import pytest
import torch

from kernels import ops, reference

LENGTHS = [5, 0, 17, 1, 1, 9]
TWINS = {
    "varlen_attention": "cu_seqlens_attention",
    "varlen_attention_qkv": "varlen_attention_qkv",
    "padded_attention": "padded_attention",
    "residual_layer_norm": "residual_layer_norm",
    "embed_layer_norm": "embed_layer_norm",
    "bias_gelu": "bias_gelu",
    "linear": "linear",
    "linear_gelu": "linear_gelu",
    "linear_residual_norm": "linear_residual_norm",
}


def heads(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def bounds(lengths):
    return torch.tensor([0, *lengths], dtype=torch.int32).cumsum(0, dtype=torch.int32)


def written_out(q, k, v, lengths, scale):
    """Attention and its log-sum-exp, a sequence and a head at a time."""
    out, lse = torch.zeros_like(q), torch.zeros(q.shape[1], q.shape[0], dtype=torch.float64)
    start = 0
    for length in lengths:
        rows = slice(start, start + length)
        for head in range(q.shape[1]):
            weights = (q[rows, head] @ k[rows, head].T * scale).exp()
            out[rows, head] = weights / weights.sum(1, keepdim=True) @ v[rows, head]
            lse[head, rows] = weights.sum(1).log()
        start += length
    return out, lse


def layer_norm(x, weight, bias, eps):
    mean = x.mean(-1, keepdim=True)
    variance = (x - mean).square().mean(-1, keepdim=True)
    return (x - mean) / (variance + eps).sqrt() * weight + bias


def test_every_public_op_has_a_twin_of_the_same_signature():
    assert set(TWINS) == set(ops.__all__) - {"why_not"}
    for op, twin in TWINS.items():
        assert inspect.signature(getattr(ops, op)) == inspect.signature(getattr(reference, twin)), op


@pytest.mark.parametrize("scale", [None, 0.3])
def test_attention_by_bounds_is_attention_written_out(scale):
    q, k, v = heads(3, sum(LENGTHS), 2, 8)
    expected, expected_lse = written_out(q, k, v, LENGTHS, scale or 1 / math.sqrt(8))
    out, lse = reference.cu_seqlens_attention(q, k, v, bounds(LENGTHS), 17, scale=scale, return_lse=True)
    torch.testing.assert_close(out, expected)
    torch.testing.assert_close(lse, expected_lse)
    qkv = torch.stack((q, k, v), 1)
    assert torch.equal(reference.varlen_attention_qkv(qkv, bounds(LENGTHS), 17, scale=scale), out)


def test_an_empty_last_sequence_changes_nothing_and_tokens_of_none_get_zeros():
    q, k, v = heads(3, 12, 2, 8)
    out = reference.cu_seqlens_attention(q, k, v, bounds([4, 5, 0]), 5)
    assert torch.equal(out, reference.cu_seqlens_attention(q, k, v, bounds([4, 5]), 5))
    assert torch.equal(out[:9], reference.varlen_attention(q[:9], k[:9], v[:9], [4, 5]))
    assert not out[9:].any()


@pytest.mark.parametrize("lengths", [[7], [3, 3, 3], LENGTHS, [0, 0], []], ids=str)
def test_attention_by_lengths_and_its_gradient_are_those_written_out(lengths):
    q, k, v = (x.requires_grad_() for x in heads(3, sum(lengths), 2, 8).unbind())
    expected, _ = written_out(q, k, v, lengths, 1 / math.sqrt(8))
    out = reference.varlen_attention(q, k, v, lengths)
    torch.testing.assert_close(out, expected)
    assert out.is_contiguous()
    if lengths and sum(lengths):
        seed = heads(*out.shape, seed=1)
        for x, y in zip(
            torch.autograd.grad(out, (q, k, v), seed),
            torch.autograd.grad(expected, (q, k, v), seed),
            strict=True,
        ):
            torch.testing.assert_close(x, y)


def test_attention_by_lengths_drops_weights_only_when_told():
    q, k, v = heads(3, 40, 2, 8)
    still = reference.varlen_attention(q, k, v, [40])
    assert torch.equal(still, reference.varlen_attention(q, k, v, [40]))
    assert not torch.allclose(still, reference.varlen_attention(q, k, v, [40], dropout=0.5))


def test_padded_attention_never_looks_past_the_lengths():
    lengths = [4, 0, 9, 2]
    q, k, v = heads(3, 4, 2, 9, 8)
    poisoned = [x.clone() for x in (q, k, v)]
    for row, length in enumerate(lengths):
        for x in poisoned:
            x[row, :, length:] = math.nan
    out = reference.padded_attention(*poisoned, torch.tensor(lengths, dtype=torch.int32))
    for row, length in enumerate(lengths):
        alone = (x[row, :, :length].transpose(0, 1) for x in (q, k, v))
        expected, _ = written_out(*alone, [length], 1 / math.sqrt(8))
        torch.testing.assert_close(out[row, :, :length], expected.transpose(0, 1))
        assert not out[row, :, length:].any()


def test_residual_layer_norm_is_the_formula():
    x, residual = heads(2, 6, 11)
    weight, bias, linear_bias = heads(3, 11, seed=1)
    torch.testing.assert_close(
        reference.residual_layer_norm(x, residual, weight, bias, eps=0.1),
        layer_norm(x + residual, weight, bias, 0.1),
    )
    torch.testing.assert_close(
        reference.residual_layer_norm(x, residual, weight, bias, linear_bias=linear_bias, eps=0.1),
        layer_norm(x + linear_bias + residual, weight, bias, 0.1),
    )


def test_embed_layer_norm_is_the_formula():
    word, position = heads(20, 11), heads(9, 11, seed=1)
    type_row, weight, bias = heads(3, 11, seed=2)
    ids, positions = torch.tensor([3, 19, 0]), torch.tensor([2, 8, 2])
    out = reference.embed_layer_norm(ids, positions, word, position, type_row, weight, bias, eps=0.1)
    total = word[ids] + position[positions] + type_row
    torch.testing.assert_close(out, layer_norm(total, weight, bias, 0.1))


def test_gelu_goes_by_the_error_function():
    x, bias = heads(7, 5), heads(5, seed=1)
    total = x + bias
    expected = total * (1 + torch.erf(total / math.sqrt(2))) / 2
    torch.testing.assert_close(reference.bias_gelu(x, bias), expected)
    assert torch.equal(reference.gelu(total), reference.bias_gelu(x, bias))


@pytest.mark.parametrize("probability", [0.01, 0.1, 0.5, 0.9])
def test_dropout_drops_as_often_as_told_and_keeps_the_mean(probability: float) -> None:
    torch.manual_seed(0)
    x = torch.ones(999, 1001, requires_grad=True)
    out = reference.drop(x, probability)
    dropped = float((out == 0).float().mean())
    deviation = (probability * (1 - probability) / x.numel()) ** 0.5
    assert abs(dropped - probability) < 5 * deviation + 2**-16
    assert float(out.detach().mean()) == pytest.approx(1, abs=5 * deviation / (1 - probability) + 2**-15)
    out.sum().backward()
    assert torch.equal(x.grad, out), "what is dropped learns nothing, the rest as it was scaled"
    torch.manual_seed(0)
    assert torch.equal(reference.drop(x, probability), out), "it follows from torch's seed"
    # Neighbours come out of one draw of 64 bits: none tells of another.
    columns = (out[:, :1000] != 0).float().reshape(-1, 4)
    assert torch.corrcoef(columns.T).fill_diagonal_(0).abs().max() < 0.01


def test_dropped_attention_is_the_same_as_torch_s_but_for_what_it_draws() -> None:
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(30, 2, 8, generator=generator) for _ in range(3))
    lengths = [12, 11, 7]
    whole = reference.varlen_attention(q, k, v, lengths)
    torch.manual_seed(0)
    mean = sum(reference.varlen_attention(q, k, v, lengths, dropout=0.2) for _ in range(4000)) / 4000
    torch.testing.assert_close(mean, whole, atol=0.06, rtol=0.0)
