"""An XLM-R encoder that has learned nothing: the control every pretrained encoder is held against."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stilts.model.checkpoint import Checkpoint
from stilts.model.families import families
from stilts.model.tensors import Tensors

DEFAULT_LAYERS = 2
HIDDEN = 384
HEADS = 12
FEED_FORWARD = 1536
POSITIONS = 514
PADDING = 1
SPREAD = 0.02


def untrained(*, tokenizer: str, vocabulary: int, layers: int, seed: int) -> Checkpoint:
    """XLM-R's own initialisation (normal, 0.02) in the shape of multilingual-E5-small, drawn from `seed`."""
    config: dict[str, Any] = {
        "architectures": ["XLMRobertaModel"],
        "model_type": "xlm-roberta",
        "vocab_size": vocabulary,
        "hidden_size": HIDDEN,
        "num_hidden_layers": layers,
        "num_attention_heads": HEADS,
        "intermediate_size": FEED_FORWARD,
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
        tensors=_tensors(vocabulary, layers, seed),
        tokenizer=tokenizer,
    )


def _tensors(vocabulary: int, layers: int, seed: int) -> Tensors:
    random = np.random.default_rng(seed)

    def normal(rows: int, columns: int) -> NDArray[np.float32]:
        return random.standard_normal((rows, columns), dtype=np.float32) * np.float32(SPREAD)

    tensors: Tensors = {}

    def linear(name: str, rows: int, columns: int) -> None:
        tensors[f"{name}.weight"] = normal(rows, columns)
        tensors[f"{name}.bias"] = np.zeros(rows, dtype=np.float32)

    def norm(name: str) -> None:
        tensors[f"{name}.weight"] = np.ones(HIDDEN, dtype=np.float32)
        tensors[f"{name}.bias"] = np.zeros(HIDDEN, dtype=np.float32)

    tensors["embeddings.position_embeddings.weight"] = normal(POSITIONS, HIDDEN)
    tensors["embeddings.token_type_embeddings.weight"] = normal(1, HIDDEN)
    norm("embeddings.LayerNorm")
    for layer in range(layers):
        prefix = f"encoder.layer.{layer}"
        for part in (
            "attention.self.query",
            "attention.self.key",
            "attention.self.value",
            "attention.output.dense",
        ):
            linear(f"{prefix}.{part}", HIDDEN, HIDDEN)
        norm(f"{prefix}.attention.output.LayerNorm")
        linear(f"{prefix}.intermediate.dense", FEED_FORWARD, HIDDEN)
        linear(f"{prefix}.output.dense", HIDDEN, FEED_FORWARD)
        norm(f"{prefix}.output.LayerNorm")
    # Last, so that the layers of one seed do not depend on the size of the vocabulary.
    tensors["embeddings.word_embeddings.weight"] = normal(vocabulary, HIDDEN)
    for table in ("word", "position"):
        tensors[f"embeddings.{table}_embeddings.weight"][PADDING] = 0.0
    return tensors
