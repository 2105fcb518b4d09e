"""One vector a sentence."""

import torch
from torch import Tensor

from kernels.packing import Packed
from stilts.model.encoder import Encoder, Pooling, pool


def embed(encoder: Encoder, packed: Packed, *, layer: int, pooling: Pooling) -> Tensor:
    """Unit vectors [B, d] of packed sentences.

    Args:
        encoder: stopped after `layer`.
        packed: the sentences.
        layer: position in the list of hidden states; 0 is the embeddings.
        pooling: `mean` over all tokens, `<s>` and `</s>` included, or `cls`, the first token's.
    """
    x = encoder(packed, layers=layer).float()
    return torch.nn.functional.normalize(pool(x, packed, pooling), dim=1)
