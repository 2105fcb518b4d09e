"""Checkpoints in Hugging Face's format, both ways."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from hpc.files import write_json
from stilts.model import checkpoint as checkpoints
from stilts.model.checkpoint import CONFIG, Checkpoint
from stilts.model.config import EncoderConfig
from stilts.model.encoder.packed import PackedEncoder
from stilts.model.tensors import WEIGHTS, Tensors, write

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
    """Parameters of Hugging Face's encoder under ours; the prefix of a model with a head is taken off."""
    family = config.family
    prefix = family.prefix if any(name.startswith(family.prefix) for name in state) else ""
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


def of_checkpoint(made: Checkpoint, *, separator: int | None, dropout: float = 0.0) -> PackedEncoder:
    """An encoder with the weights of a checkpoint, in fp32.

    Args:
        made: as it was read.
        separator: token behind which token type 1 begins; None where there are no types.
        dropout: probability while training.
    """
    config = EncoderConfig.of(made.config, separator=separator)
    encoder = PackedEncoder(config, dropout=dropout)
    state = {name: torch.from_numpy(value) for name, value in made.tensors.items()}
    encoder.load_state_dict(from_huggingface(state, config), assign=True)
    return encoder


def load(folder: Path, *, dropout: float = 0.0) -> PackedEncoder:
    """An encoder from a model folder in Hugging Face's format.

    Raises:
        UserError: no such model, or one that cannot be computed here as it says.
    """
    made = checkpoints.read(folder)
    return of_checkpoint(made, separator=checkpoints.separator(made, folder), dropout=dropout)


def save(encoder: PackedEncoder, state: Mapping[str, Tensor], folder: Path) -> None:
    """Writes config.json and model.safetensors of an encoder alone.

    Args:
        encoder: gives the shape.
        state: the parameters to write, under our names.
        folder: where; each file is replaced whole.
    """
    config = encoder.config
    write(as_arrays(to_huggingface(state)), folder / WEIGHTS)
    write_json(folder / CONFIG, {"architectures": [config.family.architecture(None)], **config.as_json()})


def as_arrays(state: Mapping[str, Tensor]) -> Tensors:
    """Tensors as they are written: fp32 on the host."""
    return {name: tensor.detach().cpu().float().numpy() for name, tensor in state.items()}
