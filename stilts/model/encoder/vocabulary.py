"""The head of masked-language modelling: every piece of the vocabulary scored for a hidden token.

The last matrix is the word embeddings themselves; the head owns a dense layer, a LayerNorm and a bias by
piece. A checkpoint's own head is taken over where it is there.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kernels import reference
from stilts.model.checkpoint import Checkpoint
from stilts.model.encoder.config import EncoderConfig


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


def vocabulary_head_of(made: Checkpoint) -> dict[str, Tensor] | None:
    """Parameters of a `VocabularyHead` out of a checkpoint; None where it has none."""
    places = made.family.vocabulary_head
    if not set(places.values()) <= made.others.keys():
        return None
    return {ours: torch.from_numpy(made.others[theirs]) for ours, theirs in places.items()}
