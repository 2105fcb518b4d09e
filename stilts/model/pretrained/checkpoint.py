"""A Hugging Face XLM-R folder: read, write, keep the first layers, keep some rows of the embeddings."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpc.errors import UserError
from hpc.files import write_atomic, write_json

Tensors = dict[str, NDArray[np.float32]]

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
WORDS = "embeddings.word_embeddings.weight"
MLM_BIAS = "lm_head.bias"
_LAYER = re.compile(r"encoder\.layer\.(\d+)\.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """An encoder in memory, by the names of Hugging Face's `XLMRobertaModel`."""

    config: dict[str, Any]
    tensors: Tensors
    tokenizer: str
    """The text of tokenizer.json."""


def write(checkpoint: Checkpoint, folder: Path) -> None:
    """Writes the five files; `folder` exists and is nobody else's."""
    from safetensors.numpy import save_file

    contiguous = {name: np.ascontiguousarray(value) for name, value in sorted(checkpoint.tensors.items())}
    save_file(contiguous, folder / WEIGHTS, metadata={"format": "pt"})
    write_json(folder / CONFIG, checkpoint.config)
    # safetensors writes for the owner alone; a cache or a run folder may be shared.
    (folder / WEIGHTS).chmod((folder / CONFIG).stat().st_mode)
    write_atomic(folder / TOKENIZER, checkpoint.tokenizer)
    write_json(folder / "tokenizer_config.json", _tokenizer_config(checkpoint.config))
    write_json(folder / "special_tokens_map.json", _special_tokens_map())


def keep_layers(checkpoint: Checkpoint, layers: int) -> Checkpoint:
    """The first `layers` layers of the encoder."""
    there = checkpoint.config["num_hidden_layers"]
    if not 1 <= layers <= there:
        raise UserError(
            f"layers = {layers} was asked of a pretrained encoder that has {there}: choose 1 to {there}."
        )

    def kept(name: str) -> bool:
        layer = _LAYER.match(name)
        return layer is None or int(layer[1]) < layers

    tensors = {name: value for name, value in checkpoint.tensors.items() if kept(name)}
    return replace(checkpoint, config=checkpoint.config | {"num_hidden_layers": layers}, tensors=tensors)


def keep_rows(checkpoint: Checkpoint, ids: NDArray[np.int64], *, tokenizer: str) -> Checkpoint:
    """The embedding rows `ids`, in that order, for the renumbered `tokenizer`."""
    tensors = dict(checkpoint.tensors)
    for name in (WORDS, MLM_BIAS):
        if name in tensors:
            tensors[name] = tensors[name][ids]
    config = checkpoint.config | {"vocab_size": len(ids)}
    return replace(checkpoint, config=config, tensors=tensors, tokenizer=tokenizer)


def _special_tokens_map() -> dict[str, Any]:
    plain = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>"}
    mask = {"content": "<mask>", "lstrip": True, "normalized": False, "rstrip": False, "single_word": False}
    return plain | {"unk_token": "<unk>", "pad_token": "<pad>", "mask_token": mask}


def _tokenizer_config(config: dict[str, Any]) -> dict[str, Any]:
    longest = config["max_position_embeddings"] - config["pad_token_id"] - 1
    return _special_tokens_map() | {
        "tokenizer_class": "XLMRobertaTokenizer",
        "model_max_length": longest,
        "clean_up_tokenization_spaces": False,
        "mask_token": "<mask>",
    }
