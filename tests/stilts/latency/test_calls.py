"""What is written beside the times of a call is what was seen of it."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

import kernels.compiled
from kernels.compiled import kernels_compiled
from kernels.packing import from_lengths, room_for
from stilts import data
from stilts.latency import calls, session
from stilts.latency.sample import Sample
from stilts.latency.session import Session
from stilts.model.encoder import EncoderConfig, PackedEncoder, for_inference
from stilts.model.encoder.graphs import GraphedEncoder
from stilts.model.heads import HeadSpec
from stilts.model.multitask import Model

CONFIG = EncoderConfig(
    hidden_size=64,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=128,
    vocab_size=97,
    max_position_embeddings=402,
)
RAW = data.Batch(
    input_ids=np.arange(4, 34),
    lengths=np.array([10, 20], np.int32),
    targets={"label": np.array([0, 1])},
    items=2,
)


@pytest.fixture
def model():
    encoder = PackedEncoder(CONFIG, dropout=0.0).eval()
    encoder.reinitialise(0)
    return (
        Model(encoder, {"nli": HeadSpec(kind="classify", labels=("a", "b"))}, seed=0).eval().for_inference()
    )


@pytest.fixture
def asked(model, monkeypatch):
    """A session and a cell of two queries, as far as a call needs them."""
    monkeypatch.setattr(session.task_types, "load", lambda _: SimpleNamespace(encode=lambda *_: None))
    monkeypatch.setattr(session.data, "collate", lambda *_: RAW)
    queries = SimpleNamespace(
        columns={"example": np.array([0, 1])}, num_tokens=np.array([10, 20]), examples=["a", "b"]
    )
    sample = Sample(np.array([0, 1]), count=2, seed=1, process=1)
    cell = SimpleNamespace(
        sample=sample, model=model,
        head="nli", queries=queries, examples=["a", "b"], coding=None, batch_size=2,
        task=SimpleNamespace(type="pairs", name="xnli", max_length=128), id="cell", regime="r",
        intermediate="",
    )  # fmt: skip
    made = Session.__new__(Session)
    made.place = SimpleNamespace(device="cpu", rank=0)
    made.settings = SimpleNamespace(warmup=0, language="en")
    made.spec = SimpleNamespace(id="run")
    made.asked = SimpleNamespace(seed=1, dtype="fp32", process=1)
    made.order = 0
    return made, cell


def row(made, cell):
    examples = np.array([0, 1])
    return made._row(cell, 0, 0, 0, examples, made._call(cell, examples))


def test_a_call_on_the_cpu_computes_its_own_tokens(asked):
    found = row(*asked)
    assert (found["real_tokens"], found["padded_tokens"], found["padding"]) == (30, 30, "none")
    assert (found["n_compiles"], found["valid"], found["invalid_reason"]) == (0, True, None)


def test_what_fills_a_graph_is_told(asked):
    made, cell = asked
    plain = cell.model.encoder
    packed = from_lengths(np.arange(4, 34), [10, 20])
    graphed = GraphedEncoder.__new__(GraphedEncoder)
    assert packed.room == room_for(30, 2, 64)
    assert GraphedEncoder.computed_tokens(graphed, packed) == packed.room.tokens > 30
    larger = from_lengths(np.arange(5000) % 90 + 4, [500] * 10)
    assert GraphedEncoder.computed_tokens(graphed, larger) == 5000
    plain.computed_tokens = lambda batch: GraphedEncoder.computed_tokens(graphed, batch)
    plain.padding = "graph"
    found = row(made, cell)
    assert (found["real_tokens"], found["padded_tokens"], found["padding"]) == (
        30,
        packed.room.tokens,
        "graph",
    )


def test_a_call_that_waited_for_a_kernel_or_a_graph_is_no_measurement(asked, monkeypatch):
    made, cell = asked
    ready = iter((3, 5))
    monkeypatch.setattr(session, "kernels_compiled", lambda: next(ready))
    found = row(made, cell)
    assert (found["n_compiles"], found["valid"]) == (2, False)
    assert found["invalid_reason"] == "waited for 2 kernels or graphs to be made"


def test_tritons_compilations_are_counted_and_others_go_on_listening(monkeypatch):
    knobs = pytest.importorskip("triton").knobs
    heard = []
    monkeypatch.setattr(kernels.compiled, "_watching", False)
    monkeypatch.setattr(knobs.runtime, "jit_post_compile_hook", lambda **said: heard.append(said))
    before = kernels_compiled()
    knobs.runtime.jit_post_compile_hook(key="a")
    assert kernels_compiled() == before + 1
    assert kernels_compiled() == before + 1
    assert heard == [{"key": "a"}]


def test_a_timing_says_for_how_many_tokens(model):
    with torch.inference_mode():
        timing = calls.on_cpu(model, "nli", RAW, "cpu", 7)
    assert (timing.computed_tokens, timing.tokenize, timing.device) == (30, 7, None)
    assert timing.wall > 0
    assert for_inference(PackedEncoder(CONFIG, dropout=0.0).eval(), attention="sdpa").captured == 0
