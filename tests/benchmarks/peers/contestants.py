"""The peers: Hugging Face, ONNX Runtime, OpenVINO, CTranslate2, each with the settings it may choose among.

An `encode` takes sequences of token ids and gives their mean-pooled last states, float32 [B, d], in order;
batching, padding and pooling are on the clock.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import torch
from peers.workload import DTYPES, Precision, batches, pad
from timing import THREADS
from torch import Tensor, nn
from transformers import XLMRobertaModel

Encode = Callable[[Sequence[Tensor]], Tensor]
BATCH_SIZES = (8, 16, 32)
STREAMS = (1, THREADS)
OPTIONAL = ("onnxruntime", "openvino", "ctranslate2")
"""Peers that have to be installed for this alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Contestant:
    """One way of encoding, in one precision."""

    name: str
    precision: Precision | Literal["int8"]
    ways: dict[str, Encode]
    """Its settings; the fastest counts."""

    @property
    def label(self) -> str:
        """Name and precision."""
        return f"{self.name} {self.precision}"


class Pooled(nn.Module):
    """A Hugging Face encoder with the mean over real tokens."""

    def __init__(self, model: XLMRobertaModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """[B, S] -> float32 [B, d]."""
        x = self.model(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        weight = mask.unsqueeze(-1).float()
        return (x * weight).sum(1) / weight.sum(1)


def in_batches(size: int, run: Callable[[Tensor, Tensor], Tensor]) -> Encode:
    """Encodes padded batches of sequences of similar length, one after the other."""

    def encode(sequences: Sequence[Tensor]) -> Tensor:
        out = None
        for numbers in batches(sequences, size):
            pooled = run(*pad([sequences[number] for number in numbers]))
            out = pooled.new_empty(len(sequences), pooled.shape[1]) if out is None else out
            out[torch.tensor(numbers)] = pooled
        assert out is not None
        return out

    return encode


def huggingface(model: XLMRobertaModel, precision: Precision) -> Contestant:
    """Hugging Face's encoder, attention by torch's scaled_dot_product_attention.

    Args:
        model: fp32, made with attn_implementation="sdpa"; copied.
        precision: of weights and activations.
    """
    copied = XLMRobertaModel._from_config(
        model.config, attn_implementation="sdpa", add_pooling_layer=False
    ).eval()
    copied.load_state_dict(model.state_dict())
    pooled = Pooled(copied.to(DTYPES[precision]))
    return Contestant(
        name="huggingface",
        precision=precision,
        ways={f"batch {size}": in_batches(size, pooled) for size in BATCH_SIZES},
    )


def export(model: XLMRobertaModel, folder: Path) -> Path:
    """Writes the pooled encoder as ONNX with free batch and length.

    Attention is written out ("eager"): that is the pattern which both runtimes know how to fuse.
    """
    copied = XLMRobertaModel._from_config(
        model.config, attn_implementation="eager", add_pooling_layer=False
    ).eval()
    copied.load_state_dict(model.state_dict())
    ids, mask = pad([torch.arange(4, 20), torch.arange(4, 13)])
    path = folder / "encoder.onnx"
    axes = {0: "batch", 1: "length"}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Pooled(copied),
            (ids, mask),
            path,
            input_names=["ids", "mask"],
            output_names=["pooled"],
            dynamic_axes={"ids": axes, "mask": axes, "pooled": {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )
    return path


def onnxruntime(graph: Path, heads: int, hidden: int) -> Contestant:
    """ONNX Runtime: transformer fusions, all graph optimisations; fp32, as its x86 kernels know no bf16."""
    import onnxruntime as ort
    from onnxruntime.transformers.optimizer import optimize_model

    fused = optimize_model(str(graph), model_type="bert", num_heads=heads, hidden_size=hidden, opt_level=0)
    counted = fused.get_fused_operator_statistics()
    assert all(counted[name] for name in ("Attention", "SkipLayerNormalization", "BiasGelu")), counted
    path = graph.with_name("fused.onnx")
    fused.save_model_to_file(str(path))
    options = ort.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    # Its threads may spin while it runs, as is its way, but not on into another contestant's turn.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run(ids: Tensor, mask: Tensor) -> Tensor:
        return torch.from_numpy(session.run(None, {"ids": ids.numpy(), "mask": mask.numpy()})[0])

    ways = {f"batch {size}": in_batches(size, run) for size in BATCH_SIZES}
    return Contestant(name="onnxruntime", precision="fp32", ways=ways)


def openvino(graph: Path, precision: Precision) -> Contestant:
    """OpenVINO: every thread on one batch, or one batch a thread."""
    import openvino as ov

    core = ov.Core()
    model = core.read_model(graph)
    ways = {}
    for streams in STREAMS:
        settings = {
            "PERFORMANCE_HINT": "LATENCY" if streams == 1 else "THROUGHPUT",
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": THREADS,
            "INFERENCE_PRECISION_HINT": {"bf16": "bf16", "fp32": "f32"}[precision],
        }
        compiled = core.compile_model(model, "CPU", settings)
        queue = ov.AsyncInferQueue(compiled, streams)
        for size in BATCH_SIZES:
            ways[f"batch {size}, streams {streams}"] = _queued(queue, size)
    return Contestant(name="openvino", precision=precision, ways=ways)


def _queued(queue: Any, size: int) -> Encode:
    def encode(sequences: Sequence[Tensor]) -> Tensor:
        parts: list[tuple[list[int], Tensor]] = []

        def keep(request: Any, numbers: list[int]) -> None:
            parts.append((numbers, torch.from_numpy(request.get_output_tensor(0).data.copy())))

        queue.set_callback(keep)
        for numbers in batches(sequences, size):
            ids, mask = pad([sequences[number] for number in numbers])
            queue.start_async([ids.numpy(), mask.numpy()], numbers)
        queue.wait_all()
        out = torch.empty(len(sequences), parts[0][1].shape[1])
        for numbers, pooled in parts:
            out[torch.tensor(numbers)] = pooled
        return out

    return encode


def ctranslate2(saved: Path, precision: Literal["fp32", "int8"]) -> Contestant:
    """CTranslate2, which packs nothing but skips padding; bf16 it has on other processors only.

    Its converter wants files and a tokenizer; the specification it would fill from them is filled here.
    """
    import ctranslate2 as ct2
    from ctranslate2.converters.transformers import XLMRobertaLoader

    model = torch.load(saved, weights_only=False)
    model.config.position_embedding_type = "absolute"
    spec = XLMRobertaLoader().get_model_spec(SimpleNamespace(config=model.config, roberta=model))
    spec.register_vocabulary([str(number) for number in range(model.config.vocab_size)])
    spec.config.unk_token, spec.config.layer_norm_epsilon = "3", model.config.layer_norm_eps
    spec.validate()
    spec.optimize(quantization="int8" if precision == "int8" else None)
    path = saved.with_name(f"ctranslate2-{precision}")
    path.mkdir()
    spec.save(str(path))
    kind = {"fp32": "float32", "int8": "int8"}[precision]
    encoder = ct2.Encoder(str(path), device="cpu", compute_type=kind, intra_threads=THREADS)

    def run(ids: Tensor, mask: Tensor) -> Tensor:
        real = [row[:length].tolist() for row, length in zip(ids, mask.sum(1).tolist(), strict=True)]
        out = encoder.forward_batch(real)
        x = torch.from_numpy(np.array(out.last_hidden_state))
        weight = mask.unsqueeze(-1).float()
        return (x * weight).sum(1) / weight.sum(1)

    ways = {f"batch {size}": in_batches(size, run) for size in BATCH_SIZES}
    return Contestant(name="ctranslate2", precision=precision, ways=ways)
