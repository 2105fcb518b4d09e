"""What is written beside the times of a call is what was seen of it."""

import os
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import kernels.compiled
from kernels.compiled import kernels_compiled
from kernels.packing import from_lengths, room_for
from stilts import data
from stilts.latency import calls, cell as cells, witness
from stilts.latency.cell import Cell
from stilts.latency.sample import Sample
from stilts.latency.witness import Witness
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
def cell(model, monkeypatch):
    """A cell of two queries, as far as a call needs them."""
    monkeypatch.setattr(cells.task_types, "load", lambda _: SimpleNamespace(encode=lambda *_: None))
    monkeypatch.setattr(cells.data, "collate", lambda *_: RAW)
    queries = SimpleNamespace(num_tokens=np.array([10, 20]))
    return Cell(
        identity={"lang": "en", "regime": "direct"},
        sample=Sample(np.array([0, 1]), count=2, seed=1, process=1),
        model=model, head="nli", queries=queries, examples=["a", "b"], coding=None, batch_size=2,
        task=SimpleNamespace(type="pairs", name="xnli", max_length=128), device="cpu",
    )  # fmt: skip


def test_a_call_on_the_cpu_computes_its_own_tokens(cell):
    found = cell.call(0)
    assert (found["real_tokens"], found["padded_tokens"], found["padding"]) == (30, 30, "none")
    assert (found["n_compiles"], found["shape"], found["regime"]) == (0, 30, "direct")
    assert found["waited_ns"] >= 0
    assert found["wall_ns"] > 0


def test_what_fills_a_graph_is_told(cell):
    packed = from_lengths(np.arange(4, 34), [10, 20])
    graphed = GraphedEncoder.__new__(GraphedEncoder)
    assert packed.room == room_for(30, 2, 64)
    assert GraphedEncoder.computed_tokens(graphed, packed) == packed.room.tokens > 30
    larger = from_lengths(np.arange(5000) % 90 + 4, [500] * 10)
    assert GraphedEncoder.computed_tokens(graphed, larger) == 5000
    encoder = cell.model.encoder
    encoder.computed_tokens = lambda batch: GraphedEncoder.computed_tokens(graphed, batch)
    encoder.padding = "graph"
    found = cell.call(0)
    assert found["real_tokens"] == 30
    assert (found["padded_tokens"], found["padding"]) == (packed.room.tokens, "graph")


def test_kernels_and_graphs_made_within_a_call_are_counted(cell, monkeypatch):
    ready = iter((3, 5))
    monkeypatch.setattr(witness, "kernels_compiled", lambda: next(ready))
    assert cell.call(0)["n_compiles"] == 2


def test_a_wait_for_the_processor_is_seen():
    """Two threads that spin on one processor: one waits while the other has it."""
    seen = Witness()
    before = os.sched_getaffinity(0)
    (cpu, *_) = before
    code = f"import os\nos.sched_setaffinity(0, {{{cpu}}})\nwhile True: pass"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command) as other:
        try:
            os.sched_setaffinity(0, {cpu})
            time.sleep(0.5)
            seen.begin()
            until = time.perf_counter() + 0.4
            while time.perf_counter() < until:
                pass
            waited = seen.end()["waited_ns"]
        finally:
            os.sched_setaffinity(0, before)
            other.kill()
    assert waited > 0.05 * 0.4e9


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
        timing = calls.on_cpu(model, "nli", RAW, 7)
    assert (timing.computed_tokens, timing.tokenize, timing.to_device) == (30, 7, None)
    assert timing.wall == timing.pack + timing.device
    assert 0 < timing.head < timing.device
    assert for_inference(PackedEncoder(CONFIG, dropout=0.0).eval(), attention="sdpa").captured == 0
