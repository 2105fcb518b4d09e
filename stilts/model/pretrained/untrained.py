"""An XLM-R encoder that has learned nothing: the control every pretrained encoder is held against."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stilts.model.checkpoint import Checkpoint
from stilts.model.config import EncoderConfig
from stilts.model.families import families
from stilts.model.tensors import Tensors

PADDING = 1
SPREAD = 0.02


def untrained(*, tokenizer: str, shape: EncoderConfig, seed: int) -> Checkpoint:
    """XLM-R's own initialisation (normal, 0.02), drawn from `seed`.

    Args:
        tokenizer: content of a `tokenizer.json`; empty where nothing will be tokenised.
        shape: of the encoder.
        seed: of the weights.
    """
    config: dict[str, Any] = {
        "architectures": ["XLMRobertaModel"],
        "model_type": "xlm-roberta",
        "vocab_size": shape.vocab_size,
        "hidden_size": shape.hidden_size,
        "num_hidden_layers": shape.num_hidden_layers,
        "num_attention_heads": shape.num_attention_heads,
        "intermediate_size": shape.intermediate_size,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "max_position_embeddings": shape.max_position_embeddings,
        "type_vocab_size": 1,
        "layer_norm_eps": 1e-12,
        "initializer_range": SPREAD,
        "bos_token_id": 0,
        "pad_token_id": PADDING,
        "eos_token_id": 2,
        "dtype": "float32",
    }
    return Checkpoint(
        config=config,
        family=families()["xlm-roberta"],
        tensors=_tensors(shape, seed),
        tokenizer=tokenizer,
    )


def _tensors(shape: EncoderConfig, seed: int) -> Tensors:
    hidden, feed_forward = shape.hidden_size, shape.intermediate_size
    random = np.random.default_rng(seed)

    def normal(rows: int, columns: int) -> NDArray[np.float32]:
        return random.standard_normal((rows, columns), dtype=np.float32) * np.float32(SPREAD)

    tensors: Tensors = {}

    def linear(name: str, rows: int, columns: int) -> None:
        tensors[f"{name}.weight"] = normal(rows, columns)
        tensors[f"{name}.bias"] = np.zeros(rows, dtype=np.float32)

    def norm(name: str) -> None:
        tensors[f"{name}.weight"] = np.ones(hidden, dtype=np.float32)
        tensors[f"{name}.bias"] = np.zeros(hidden, dtype=np.float32)

    tensors["embeddings.position_embeddings.weight"] = normal(shape.max_position_embeddings, hidden)
    tensors["embeddings.token_type_embeddings.weight"] = normal(1, hidden)
    norm("embeddings.LayerNorm")
    for layer in range(shape.num_hidden_layers):
        prefix = f"encoder.layer.{layer}"
        for part in (
            "attention.self.query",
            "attention.self.key",
            "attention.self.value",
            "attention.output.dense",
        ):
            linear(f"{prefix}.{part}", hidden, hidden)
        norm(f"{prefix}.attention.output.LayerNorm")
        linear(f"{prefix}.intermediate.dense", feed_forward, hidden)
        linear(f"{prefix}.output.dense", hidden, feed_forward)
        norm(f"{prefix}.output.LayerNorm")
    # Last, so that the layers of one seed do not depend on the size of the vocabulary.
    tensors["embeddings.word_embeddings.weight"] = normal(shape.vocab_size, hidden)
    for table in ("word", "position"):
        tensors[f"embeddings.{table}_embeddings.weight"][PADDING] = 0.0
    return tensors
