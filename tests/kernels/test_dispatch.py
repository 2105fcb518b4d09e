"""What the ops refuse, and who computes instead: by stated reasons, said once."""

import logging
import math

import pytest
import torch

from kernels import ops
from kernels.ops import dispatch
from tests.kernels.op_cases import NAMES, attention_calls, bounds, normal, row_calls

CUDA = torch.device("cuda", 0)
X = normal(9, 2, 64)
QKV = normal(9, 3, 2, 64)
ROW = normal(64)
IDS = torch.zeros(9, dtype=torch.int64)
REFUSALS = {
    "scale-zero": (lambda: ops.varlen_attention_qkv(QKV, bounds([9]), 9, scale=0.0), "must be positive"),
    "scale-nan": (lambda: ops.varlen_attention(X, X, X, bounds([9]), 9, scale=math.nan), "must be positive"),
    "scale-padded": (
        lambda: ops.padded_attention(X[None], X[None], X[None], bounds([])[:1], scale=-1.0),
        "must be positive",
    ),
    "q-flat": (lambda: ops.varlen_attention(X[0], X[0], X[0], bounds([2]), 2), r"\[T, H, D\] is needed"),
    "k-shorter": (lambda: ops.varlen_attention(X, X[:8], X, bounds([9]), 9), r"k is \[8, 2, 64\]"),
    "v-dtype": (lambda: ops.varlen_attention(X, X, X.half(), bounds([9]), 9), "v is torch.float16"),
    "qkv-of-two": (lambda: ops.varlen_attention_qkv(QKV[:, :2], bounds([9]), 9), r"\[T, 3, H, D\]"),
    "bounds-int64": (lambda: ops.varlen_attention_qkv(QKV, bounds([9]).long(), 9), "torch.int64"),
    "bounds-none": (lambda: ops.varlen_attention_qkv(QKV, bounds([9])[:0], 9), r"\[B \+ 1\]"),
    "bounds-past-the-end": (lambda: ops.varlen_attention_qkv(QKV, bounds([10]), 10), "do not rise"),
    "bounds-fall": (lambda: ops.varlen_attention_qkv(QKV, bounds([9, -3]), 9), "do not rise"),
    "blocks-shape": (
        lambda: ops.varlen_attention_qkv(QKV, bounds([9]), 9, blocks=bounds([1])),
        r"\[R, 2\] is needed",
    ),
    "blocks-of-another-size": (
        lambda: ops.varlen_attention_qkv(
            QKV, bounds([9]), 9, blocks=torch.zeros(9, 2, dtype=torch.int32), block_m=64
        ),
        "block_m=64",
    ),
    "lengths-of-another-batch": (
        lambda: ops.padded_attention(X[None], X[None], X[None], bounds([3])),
        r"lengths is \[2\]; \[1\]",
    ),
    "lengths-too-long": (
        lambda: ops.padded_attention(X[None], X[None], X[None], torch.tensor([3], dtype=torch.int32)),
        r"0 \.\. 2",
    ),
    "residual-shape": (
        lambda: ops.residual_layer_norm(X, X[:1], ROW, ROW, eps=1e-5),
        r"residual is \[1, 2, 64\]",
    ),
    "weight-dtype": (
        lambda: ops.residual_layer_norm(X, X, ROW.double(), ROW, eps=1e-5),
        "weight is torch.float64",
    ),
    "linear-bias-length": (
        lambda: ops.residual_layer_norm(X, X, ROW, ROW, linear_bias=ROW[:3], eps=1e-5),
        r"linear_bias is \[3\]; \[64\]",
    ),
    "gelu-bias": (lambda: ops.bias_gelu(X, ROW[:1]), r"bias is \[1\]; \[64\]"),
    "positions-shape": (
        lambda: ops.embed_layer_norm(IDS, IDS[:1], X[:, 0], X[:, 0], ROW, ROW, ROW, eps=1e-5),
        r"positions is \[1\]; \[9\]",
    ),
    "ids-floating": (
        lambda: ops.embed_layer_norm(IDS.float(), IDS, X[:, 0], X[:, 0], ROW, ROW, ROW, eps=1e-5),
        "torch.int64 or torch.int32",
    ),
    "table-width": (
        lambda: ops.embed_layer_norm(IDS, IDS, X[:, 0], X[:, 0, :3], ROW, ROW, ROW, eps=1e-5),
        r"position is \[9, 3\]; \[9, 64\]",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_does_not_fit_is_refused_by_name(name):
    call, message = REFUSALS[name]
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("name", NAMES)
def test_a_wanted_gradient_is_refused_whichever_tensor_wants_it(name):
    call, tensors = (attention_calls() | row_calls())[name]
    for i, tensor in enumerate(tensors):
        if not tensor.is_floating_point():
            continue
        wanting = [x.detach().clone().requires_grad_() if i == j else x for j, x in enumerate(tensors)]
        with pytest.raises(RuntimeError, match="inference"):
            call(getattr(ops, name), *wanting)
        with torch.no_grad():
            call(getattr(ops, name), *wanting)


@pytest.fixture
def undecided():
    """Nothing decided, and nothing said yet."""
    caches = (dispatch._attention_route, dispatch._row_route, dispatch._reasons, dispatch.say)
    for cache in (*caches, dispatch.architecture):
        cache.cache_clear()
    yield
    for cache in (*caches, dispatch.architecture):
        cache.cache_clear()


def test_why_not_gives_every_reason():
    assert ops.why_not(X) == ("the tensors are on the CPU, and TRITON_INTERPRET was not set at import",)
    reasons = ops.why_not(X.double(), head_dim=48, columns=10_000)
    assert reasons[1:] == (
        "torch.float64 is none of float32, float16, bfloat16",
        "head size 48 is none of 32, 64, 128",
        "rows of 10000 columns; at most 8192 fit",
    )
    assert ops.why_not(X.to("meta")) == ("no Triton kernels on meta",)


def test_a_reason_is_said_once(undecided, caplog):
    with caplog.at_level(logging.WARNING, logger="kernels"):
        for dtype in (torch.float32, torch.float32, torch.bfloat16):
            ops.varlen_attention_qkv(QKV.to(dtype), bounds([9]), 9)
            ops.bias_gelu(X.to(dtype), ROW.to(dtype))
    assert [(record.name, record.levelname) for record in caplog.records] == [("kernels", "WARNING")] * 2
    attention, rows = caplog.messages
    assert "scaled_dot_product_attention: the tensors are on the CPU" in attention
    assert "unfused: the tensors are on the CPU" in rows


@pytest.mark.parametrize(
    ("capability", "dtype", "head_dim", "products", "route", "reason"),
    [
        ((7, 5), torch.float16, 64, "none", "sdpa", "compute capability 7.5 is below 8.0"),
        ((8, 0), torch.float16, 64, "none", "triton", None),
        ((9, 0), torch.bfloat16, 128, "none", "triton", None),
        ((8, 0), torch.bfloat16, 96, "none", "varlen", "head size 96"),
        ((8, 0), torch.bfloat16, 100, "none", "sdpa", "head size 100"),
        ((8, 0), torch.float32, 64, "ieee", "sdpa", "set_float32_matmul_precision"),
        ((8, 0), torch.float32, 64, "tf32", "triton", None),
        ((8, 0), torch.float64, 64, "none", "sdpa", "torch.float64"),
    ],
)
def test_a_gpu_decides_by_what_it_can(
    undecided, monkeypatch, caplog, capability, dtype, head_dim, products, route, reason
):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: capability)
    with caplog.at_level(logging.WARNING, logger="kernels"):
        assert dispatch._attention_route(CUDA, dtype, head_dim, products, "packed") == route
    assert all(reason in message for message in caplog.messages) if reason else not caplog.messages
    padded = dispatch._attention_route(CUDA, dtype, head_dim, products, "padded")
    assert padded == ("sdpa" if route == "varlen" else route)


def test_rows_of_fp32_need_no_tf32(undecided, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: (8, 0))
    assert dispatch._row_route(CUDA, torch.float32, 1024) == "triton"
    assert dispatch._row_route(CUDA, torch.float32, 8193) == "torch"
