"""The head of masked-language modelling: every piece of the vocabulary scored for a hidden token.

As in XLM-R, the last matrix is the word embeddings themselves; the head owns a dense layer, a LayerNorm and a
bias by piece. A checkpoint's own head (`lm_head.*`) is taken over where it is there.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import Tensor, nn

from kernels import reference
from stilts.model.encoder.config import EncoderConfig

_THEIRS = {
    "dense.weight": "lm_head.dense.weight",
    "dense.bias": "lm_head.dense.bias",
    "norm.weight": "lm_head.layer_norm.weight",
    "norm.bias": "lm_head.layer_norm.bias",
    "bias": "lm_head.bias",
}


class VocabularyHead(nn.Module):
    """Dense, gelu, LayerNorm, then the word embeddings and a bias.

    Args:
        config: shape of the encoder whose embeddings it shares.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, x: Tensor, words: Tensor) -> Tensor:
        """Scores [M, V] of hidden states [M, d], given the word embeddings [V, d]."""
        return F.linear(self.norm(reference.gelu(self.dense(x))), words, self.bias)


def read_vocabulary_head(folder: Path) -> dict[str, Tensor] | None:
    """Parameters of a `VocabularyHead` out of a model folder; None where the checkpoint has none."""
    with safe_open(folder / "model.safetensors", framework="pt") as file:
        if not set(_THEIRS.values()) <= set(file.keys()):
            return None
        return {ours: file.get_tensor(theirs) for ours, theirs in _THEIRS.items()}
