"""What only hardware can say: sizes beyond 32 bits, waits, modes, streams, threads, graphs, what ships."""

import copy
import random
import threading
import tomllib

import pytest
import torch
import torch.nn.functional as F

from kernels import ops
from kernels.ops import products
from kernels.ops.dispatch import architecture
from kernels.packing import from_lengths, rooms, sizes
from kernels.product.tiling import PRODUCTS, rows as rows_of
from stilts.model.config import EncoderConfig
from stilts.model.encoder.fused import FusedEncoder
from stilts.model.encoder.graphs import GraphedEncoder
from stilts.model.encoder.packed import PackedEncoder, differentiable_attention
from tests.kernels.devices import DEVICE, generator, packed
from tests.kernels.on_device.oracle import case, exact

pytestmark = pytest.mark.skipif(DEVICE != "cuda", reason="for a GPU")
GIB = 2**30
CONFIG = EncoderConfig(
    hidden_size=1024,
    num_hidden_layers=3,
    num_attention_heads=16,
    intermediate_size=4096,
    vocab_size=500,
    max_position_embeddings=514,
)


@pytest.fixture(scope="module")
def encoder():
    made = PackedEncoder(CONFIG, dropout=0.0)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            parameter.normal_(0, 0.03, generator=generator())
            if "norm" in name and name.endswith("weight"):
                parameter += 1
    return made.bfloat16().eval()


@pytest.fixture(scope="module")
def fused(encoder):
    return FusedEncoder(encoder)


@pytest.fixture(scope="module")
def graphed(fused):
    made = GraphedEncoder(fused)
    made.warm_up()
    return made


def batch(lengths, seed=0):
    draws = random.Random(seed)
    ids = torch.tensor([draws.randrange(4, 400) for _ in range(sum(lengths))], device="cpu")
    return from_lengths(ids, lengths)


def some_lengths(draws, most):
    total, lengths = draws.choice([1, 5, 40, 64, 65, 130, 300, 900, 2000, 4000, 5000]), []
    while sum(lengths) < min(total, most):
        lengths.append(draws.randint(1, min(512, total - sum(lengths))))
    return lengths


@pytest.mark.skipif(DEVICE == "cuda" and torch.cuda.mem_get_info()[0] < 16 * GIB, reason="16 GiB of memory")
def test_offsets_beyond_32_bits():
    lengths = [500] * 1500
    qkv = torch.empty(sum(lengths), 3, 16, 64, dtype=torch.bfloat16).normal_(generator=generator())
    assert qkv.numel() > 2**31
    batch = packed(lengths)
    with torch.no_grad():
        out = ops.varlen_attention_qkv(qkv, batch.cu_seqlens, 500, blocks=batch.blocks)
        last = packed([500])
        alone = ops.varlen_attention_qkv(qkv[-500:].contiguous(), last.cu_seqlens, 500, blocks=last.blocks)
        assert torch.equal(out[-500:], alone)
        del out
        x = qkv.view(-1, 4096)[:562_000]
        bias = torch.randn(4096, generator=generator()).bfloat16()
        assert torch.equal(ops.bias_gelu(x, bias)[-3:], ops.bias_gelu(x[-3:].contiguous(), bias))


@pytest.mark.parametrize("epilogue", ["bias", "gelu", "norm"])
def test_every_tiling_that_ships_is_as_exact_as_pytorch(epilogue):
    shapes = (
        tomllib.loads(PRODUCTS.read_text()).get(architecture(torch.device("cuda", 0)), {}).get(epilogue, {})
    )
    for name in shapes:
        N, K = map(int, name.split("x"))
        x, weight, bias = (torch.randn(*size, generator=generator()) for size in ((300, K), (N, K), (N,)))
        tensors = [x.bfloat16(), (weight * K**-0.5).bfloat16(), bias.bfloat16()]
        residual, gain, shift = (
            torch.randn(*size, generator=generator(1)).bfloat16() for size in ((300, N), (N,), (N,))
        )
        for most, tiling in rows_of(architecture(torch.device("cuda", 0)), epilogue, (N, K)):
            T = min(most or 300, 300)
            few, weight, bias = tensors[0][:T], *tensors[1:]
            # The rows above decide by numbers of tokens; here each tiling is asked for by name.
            with torch.no_grad(), pytest.MonkeyPatch.context() as patch:
                patch.setattr(products, "tiling_of", lambda *_, tiling=tiling: tiling)
                got = run(epilogue, few, weight, bias, residual[:T], gain, shift)
                patch.setattr(products, "tiling_of", lambda *_: None)
                plain = run(epilogue, few, weight, bias, residual[:T], gain, shift)
                doubles = [t.double() for t in (few, weight, bias, residual[:T], gain, shift)]
                wanted = in_fp64(epilogue, *doubles)
            error, allowed = ((one.double() - wanted).abs().max().item() for one in (got, plain))
            assert error <= 2 * allowed + 1e-5, (name, tiling, T)


def run(epilogue, x, weight, bias, residual, gain, shift):
    if epilogue == "norm":
        return ops.linear_residual_norm(x, weight, bias, residual, gain, shift, eps=1e-5)
    return (ops.linear_gelu if epilogue == "gelu" else ops.linear)(x, weight, bias)


def in_fp64(epilogue, x, weight, bias, residual, gain, shift):
    y = F.linear(x, weight, bias)
    if epilogue == "norm":
        return F.layer_norm(y + residual, (len(gain),), gain, shift, 1e-5)
    return F.gelu(y) if epilogue == "gelu" else y


def test_graphs_answer_random_batches_as_launched_kernels_do(encoder, fused, graphed):
    true, draws = copy.deepcopy(encoder).float(), random.Random(0)
    with torch.inference_mode():
        for trial in range(30):
            host = batch(some_lengths(draws, 5000), trial)
            on_gpu = host.to(DEVICE)
            got, launched, wanted = graphed(host), fused(on_gpu), true(on_gpu)
            error, allowed = ((one.float() - wanted).abs().max().item() for one in (got, launched))
            assert got.isfinite().all()
            assert error <= 2 * allowed + 1e-3, host.lengths


def test_the_forward_pass_never_waits_for_the_device(fused, graphed):
    host = batch([40, 20]).pinned()
    on_gpu = host.to(DEVICE)
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        with torch.inference_mode():
            fused(on_gpu)
            graphed(on_gpu)
            graphed(host)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_a_graph_serves_every_mode_and_stream(fused):
    late = GraphedEncoder(fused, rooms=())
    host = batch([40, 20])
    with torch.inference_mode():
        first = late(host).clone()
    with torch.no_grad():
        assert torch.equal(late(host), first)
    side = torch.cuda.Stream()
    with torch.no_grad(), torch.cuda.stream(side):
        aside = late(host)
    side.synchronize()
    assert torch.equal(aside, first)


def test_threads_on_streams_of_their_own_get_their_own_answers(graphed):
    hosts = [batch(lengths, seed) for seed, lengths in enumerate(([40], [17, 21], [128], [5, 5, 5]))]
    with torch.no_grad():
        wanted = [graphed(host).clone() for host in hosts]
    torch.cuda.synchronize()
    wrong = []

    def ask(index):
        torch.set_default_device(DEVICE)
        with torch.no_grad(), torch.cuda.stream(torch.cuda.Stream()):
            for _ in range(50):
                out = graphed(hosts[index])
                if not torch.equal(out, wanted[index]):
                    wrong.append(index)

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(len(hosts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_all_graphs_together_hold_little_more_than_the_largest(fused):
    made = GraphedEncoder(fused)
    torch.cuda.empty_cache()
    before = torch.cuda.memory_reserved()
    made.warm_up()
    assert len(made._graphs) == len(rooms()) == len(sizes())
    assert torch.cuda.memory_reserved() - before < GIB


def test_gradients_of_packed_attention_are_as_exact_as_pytorchs():
    some = case([65, 1, 200, 33, 128], "bf16")
    grad = torch.randn(some.qkv.shape[0], 2, 64, generator=generator(5)).bfloat16()
    batch = packed(some.lengths)

    def gradient(qkv, attend):
        qkv = qkv.detach().requires_grad_()
        attend(qkv).backward(grad.to(qkv.dtype))
        return qkv.grad.double()

    def by_sequence(qkv):
        parts = [part.permute(1, 2, 0, 3) for part in qkv.split(some.lengths)]
        return torch.cat([F.scaled_dot_product_attention(*part).transpose(0, 1) for part in parts])

    ours = gradient(some.qkv, lambda qkv: differentiable_attention(*qkv.unbind(1), batch, dropout=0.0))
    plain, wanted = (gradient(qkv, by_sequence) for qkv in (some.qkv, some.qkv.double()))
    assert exact(some)[0].isfinite().all()
    assert (ours - wanted).abs().max() <= 2 * (plain - wanted).abs().max() + 1e-5


def test_dropout_of_packed_attention_keeps_the_mean():
    batch = packed([512] * 8)
    q, k, v = (torch.randn(4096, 16, 64, generator=generator(seed)).bfloat16() for seed in range(3))
    with torch.no_grad():
        outs = [differentiable_attention(q, k, v, batch, dropout=p).float() for p in (0.0, 0.1)]
    assert outs[1].isfinite().all()
    assert not torch.equal(*outs)
    assert abs(float((outs[1] * outs[0]).sum() / outs[0].square().sum()) - 1) < 0.02
