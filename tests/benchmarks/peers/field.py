"""All peers that take part, those of other libraries each in a process of its own."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from peers.apart import apart
from peers.contestants import OPTIONAL, Contestant, ctranslate2, export, huggingface, onnxruntime, openvino
from peers.workload import Precision
from transformers import XLMRobertaModel


def enter(
    model: XLMRobertaModel, precisions: Sequence[Precision], without: Sequence[str]
) -> list[Contestant]:
    """The peers that take part.

    Raises:
        ImportError: one is not installed.
    """
    out = [huggingface(model, each) for each in precisions]
    if set(without) == set(OPTIONAL):
        return out
    with tempfile.TemporaryDirectory() as name:
        graph, saved = export(model, Path(name)), Path(name) / "model.pt"
        torch.save(model, saved)
        if "onnxruntime" not in without:
            config = model.config
            out.append(apart(onnxruntime, graph, config.num_attention_heads, config.hidden_size))
        if "openvino" not in without:
            out += [apart(openvino, graph, each) for each in precisions]
        if "ctranslate2" not in without:
            out += [apart(ctranslate2, saved, each) for each in ("fp32", "int8")]
    return out
