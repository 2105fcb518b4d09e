"""Calls of every op, small and odd, for the tests of ops with the interpreter and without."""

import torch

from kernels import reference
from tests.kernels.devices import generator

LENGTHS = [5, 0, 17, 1]


def normal(*shape, dtype=torch.float32, seed=0):
    return torch.randn(*shape, generator=generator(seed)).to(dtype)


def bounds(lengths):
    return torch.tensor([0, *lengths], dtype=torch.int32).cumsum(0, dtype=torch.int32)


def attention_calls(lengths=LENGTHS, head_dim=64, dtype=torch.float32):
    """Name, the op on tensors alone, and its tensors, for the three forms of attention."""
    T, longest = sum(lengths), max(lengths)
    qkv = normal(T, 3, 2, head_dim, dtype=dtype)
    padded = normal(3, len(lengths), 2, longest, head_dim, dtype=dtype, seed=1).unbind()
    return {
        "varlen_attention": (
            lambda module, *x: module(*x, longest, return_lse=True),
            (*qkv.unbind(1), bounds(lengths)),
        ),
        "varlen_attention_qkv": (
            lambda module, *x: module(*x, longest, return_lse=True),
            (qkv, bounds(lengths)),
        ),
        "padded_attention": (
            lambda module, *x: module(*x),
            (*padded, torch.tensor(lengths, dtype=torch.int32)),
        ),
    }


def row_calls(rows=7, columns=48, dtype=torch.float32):
    """The same for the operations on rows."""
    x, residual = normal(2, rows, columns, dtype=dtype).unbind()
    weight, bias, linear_bias, type_row = normal(4, columns, dtype=dtype, seed=1).unbind()
    word, position = (normal(20, columns, dtype=dtype, seed=seed) for seed in (2, 3))
    ids, positions = torch.arange(rows) % 20, torch.arange(rows) % 9
    return {
        "residual_layer_norm": (
            lambda module, *x: module(*x[:4], linear_bias=x[4], eps=1e-5),
            (x, residual, weight, bias, linear_bias),
        ),
        "embed_layer_norm": (
            lambda module, *x: module(*x, eps=1e-5),
            (ids, positions, word, position, type_row, weight, bias),
        ),
        "bias_gelu": (lambda module, *x: module(*x), (x, bias)),
    }


def twin(name):
    return getattr(reference, "cu_seqlens_attention" if name == "varlen_attention" else name)


NAMES = [*attention_calls(), *row_calls()]
