"""Checkpoints in Hugging Face's format, both ways."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from hpc.errors import UserError
from hpc.files import replacing, write_json
from stilts.model.encoder.config import EncoderConfig
from stilts.model.encoder.packed import PackedEncoder

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
QKV = ("query", "key", "value")
# Our module names against Hugging Face's; {i} is the layer.
_OUTER = {
    "word": "embeddings.word_embeddings",
    "position": "embeddings.position_embeddings",
    "token_type": "embeddings.token_type_embeddings",
    "norm": "embeddings.LayerNorm",
}
_INNER = {
    "attention_output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "intermediate": "intermediate.dense",
    "output": "output.dense",
    "output_norm": "output.LayerNorm",
}


def to_huggingface(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Parameters of a `PackedEncoder` under Hugging Face's names."""
    out: dict[str, Tensor] = {}
    for name, tensor in state.items():
        module, _, leaf = name.rpartition(".")
        if not module.startswith("layers."):
            out[f"{_OUTER[module]}.{leaf}"] = tensor
            continue
        _, layer, part = module.split(".")
        prefix = f"encoder.layer.{layer}"
        if part == "qkv":
            for which, chunk in zip(QKV, tensor.chunk(3), strict=True):
                out[f"{prefix}.attention.self.{which}.{leaf}"] = chunk.contiguous()
        else:
            out[f"{prefix}.{_INNER[part]}.{leaf}"] = tensor
    return out


def from_huggingface(state: Mapping[str, Tensor], config: EncoderConfig) -> dict[str, Tensor]:
    """Parameters of Hugging Face's `XLMRobertaModel` under ours; task-model prefixes are taken off."""
    prefix = "roberta." if any(name.startswith("roberta.") for name in state) else ""
    out = {
        f"{ours}.{leaf}": state[f"{prefix}{theirs}.{leaf}"]
        for ours, theirs in _OUTER.items()
        for leaf in (("weight", "bias") if ours == "norm" else ("weight",))
    }
    for i in range(config.num_hidden_layers):
        layer = f"{prefix}encoder.layer.{i}"
        for leaf in ("weight", "bias"):
            parts = [state[f"{layer}.attention.self.{which}.{leaf}"] for which in QKV]
            out[f"layers.{i}.qkv.{leaf}"] = torch.cat(parts)
            for ours, theirs in _INNER.items():
                out[f"layers.{i}.{ours}.{leaf}"] = state[f"{layer}.{theirs}.{leaf}"]
    return out


def load(folder: Path, *, dropout: float = 0.0) -> PackedEncoder:
    """An encoder from a model folder in Hugging Face's format, its weights in one file or in shards.

    Raises:
        UserError: no such model, or a tensor is missing.
    """
    config = EncoderConfig.read(folder)
    try:
        state = from_huggingface(_weights(folder), config)
    except KeyError as error:
        raise UserError(f"the weights in {folder} lack the tensor {error}") from error
    encoder = PackedEncoder(config, dropout=dropout)
    encoder.load_state_dict(state, assign=True)
    return encoder


def _weights(folder: Path) -> dict[str, Tensor]:
    if (folder / WEIGHTS).exists():
        return load_file(folder / WEIGHTS)
    try:
        table = json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"]
    except FileNotFoundError as error:
        raise UserError(f"no weights at {folder}: neither {WEIGHTS} nor {INDEX}", code=3) from error
    shards = [load_file(folder / shard) for shard in sorted(set(table.values()))]
    return {name: tensor for shard in shards for name, tensor in shard.items()}


def save(encoder: PackedEncoder, state: Mapping[str, Tensor], folder: Path) -> None:
    """Writes config.json and model.safetensors, readable by `XLMRobertaModel.from_pretrained`.

    Args:
        encoder: gives the shape.
        state: the parameters to write, under our names.
        folder: where; each file is replaced whole.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in to_huggingface(state).items()}
    with replacing(folder / WEIGHTS) as temporary:
        save_file(tensors, temporary, metadata={"format": "pt"})
    special = {
        "pad_token_id": 1,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "type_vocab_size": 1,
        "hidden_act": "gelu",
    }
    write_json(
        folder / "config.json",
        {
            "model_type": "xlm-roberta",
            "architectures": ["XLMRobertaModel"],
            **special,
            **asdict(encoder.config),
        },
    )
