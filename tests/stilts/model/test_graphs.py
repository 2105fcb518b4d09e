"""Graphed answers on a made-up device: a replay computes again what was captured, into the same memory."""

import contextlib
import random
import threading
from types import SimpleNamespace

import pytest
import torch

from kernels.packing import from_lengths, rooms
from stilts.model.encoder import EncoderConfig, PackedEncoder
from stilts.model.encoder.fused import _BACKENDS, FusedEncoder
from stilts.model.encoder.graphs import GraphedEncoder

CONFIG = EncoderConfig(
    hidden_size=64,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=128,
    vocab_size=97,
    max_position_embeddings=402,
)


class Remembering:
    """A fused encoder that knows its last call."""

    def __init__(self, fused):
        self.fused, self.last = fused, None
        self.config, self.attention, self.encoder = fused.config, fused.attention, fused.encoder

    def __call__(self, packed, layers=None):
        out = self.fused(packed, layers=layers)
        self.last = packed, layers, out
        return out


class Graph:
    """What is captured is the last call within `torch.cuda.graph`."""

    def pool(self):
        return "pool"

    def replay(self):
        packed, layers, out = self.call
        out.copy_(self.fused(packed, layers=layers))


@pytest.fixture
def fused():
    encoder = PackedEncoder(CONFIG, dropout=0.0).eval()
    for number, parameter in enumerate(encoder.parameters()):
        torch.nn.init.normal_(parameter, std=0.2, generator=torch.Generator().manual_seed(number))
    made = FusedEncoder(encoder)
    # As on a GPU: where sequences begin is read where the batch lies, not told by the host.
    made._attend = _BACKENDS["triton"]
    return made


@pytest.fixture
def graphed(fused, monkeypatch):
    remembering = Remembering(fused)
    stream = SimpleNamespace(
        wait_stream=lambda _: None, wait_event=lambda _: None, record_event=lambda: "event"
    )

    @contextlib.contextmanager
    def capture(graph, pool=None):
        yield
        graph.fused, graph.call = fused, remembering.last

    for name, fake in {
        "device": lambda _: contextlib.nullcontext(),
        "stream": lambda _: contextlib.nullcontext(),
        "Stream": lambda *_: stream,
        "current_stream": lambda *_: stream,
        "CUDAGraph": Graph,
        "graph": capture,
    }.items():
        monkeypatch.setattr(torch.cuda, name, fake)
    return GraphedEncoder(remembering, rooms=rooms()[:3])


def batch(lengths, seed=0):
    draws = torch.Generator().manual_seed(seed)
    return from_lengths(torch.randint(4, 97, (sum(lengths),), generator=draws), lengths)


def test_batches_of_any_size_get_their_own_answers_and_keep_them(fused, graphed):
    draws, kept = random.Random(0), []
    with torch.inference_mode():
        for seed in range(40):
            lengths = [draws.randint(0, 90) for _ in range(draws.randint(1, 6))] + [8]
            packed = batch(lengths, seed)
            out = graphed(packed)
            assert out.shape == (sum(lengths), 64)
            kept.append((packed, out))
        for packed, out in kept:
            assert (out - fused(packed)).abs().max() <= 2e-6
    assert 1 < graphed.captured < 40


def test_a_room_is_captured_once_for_each_depth_and_serves_every_mode(fused, graphed):
    graphed.warm_up()
    assert graphed.captured == 3
    packed = batch([5])
    with torch.inference_mode():
        inside = graphed(packed, layers=1)
    with torch.no_grad():
        outside = graphed(packed, layers=1)
        assert (outside - fused(packed, layers=1)).abs().max() <= 2e-6
    assert torch.equal(inside, outside)
    assert graphed.captured == 4


def test_large_batches_and_those_of_many_short_sequences_are_launched(fused, graphed):
    with torch.no_grad():
        for lengths in ([400] * 11, [1] * 30):
            packed = batch(lengths)
            assert torch.equal(graphed(packed), fused(packed))
            assert graphed.computed_tokens(packed) == sum(lengths)
    assert graphed.captured == 0


def test_what_the_encoder_refuses_is_refused_before_anything_is_captured(graphed):
    with torch.no_grad(), pytest.raises(ValueError, match="401 tokens; the encoder takes 400"):
        graphed(batch([401]))
    assert graphed.captured == 0


def test_threads_get_their_own_answers(fused, graphed):
    with torch.no_grad():
        batches = [batch([20, 11], seed) for seed in range(4)]
        wanted = [fused(packed) for packed in batches]
    wrong = []

    def ask(number):
        with torch.no_grad():
            for _ in range(20):
                difference = (graphed(batches[number]) - wanted[number]).abs().max()
                wrong.extend([number] * bool(difference > 2e-6))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
