"""An XLM-R encoder that has learned nothing: the control every pretrained encoder is held against."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stilts.model.checkpoint import Checkpoint
from stilts.model.families import families
from stilts.model.tensors import Tensors

DEFAULT_LAYERS = 2
POSITIONS = 514
PADDING = 1
SPREAD = 0.02


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """How large an encoder is."""

    hidden: int
    layers: int
    heads: int
    vocabulary: int = 250_002

    @property
    def feed_forward(self) -> int:
        """Four times the hidden size, as in all of the family."""
        return 4 * self.hidden


SMALL = Shape(hidden=384, layers=DEFAULT_LAYERS, heads=12)
"""Of multilingual-E5-small, but for its depth."""
SHAPES: Mapping[str, Shape] = {
    "xlm-roberta-base": Shape(hidden=768, layers=12, heads=12),
    "xlm-roberta-large": Shape(hidden=1024, layers=24, heads=16),
    "toy": Shape(hidden=64, layers=2, heads=4, vocabulary=1000),
}
"""Published shapes by name, and one to see that something works."""


def untrained(*, tokenizer: str, shape: Shape, seed: int) -> Checkpoint:
    """XLM-R's own initialisation (normal, 0.02), drawn from `seed`.

    Args:
        tokenizer: content of a `tokenizer.json`; empty where nothing will be tokenised.
        shape: of the encoder.
        seed: of the weights.
    """
    config: dict[str, Any] = {
        "architectures": ["XLMRobertaModel"],
        "model_type": "xlm-roberta",
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.feed_forward,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "max_position_embeddings": POSITIONS,
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


def _tensors(shape: Shape, seed: int) -> Tensors:
    hidden, feed_forward = shape.hidden, shape.feed_forward
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

    tensors["embeddings.position_embeddings.weight"] = normal(POSITIONS, hidden)
    tensors["embeddings.token_type_embeddings.weight"] = normal(1, hidden)
    norm("embeddings.LayerNorm")
    for layer in range(shape.layers):
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
    tensors["embeddings.word_embeddings.weight"] = normal(shape.vocabulary, hidden)
    for table in ("word", "position"):
        tensors[f"embeddings.{table}_embeddings.weight"][PADDING] = 0.0
    return tensors
