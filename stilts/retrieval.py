"""Sentences as vectors, and pairs found by comparing them: Tatoeba's nearest neighbour, BUCC's mining.

Vectors are mean-pooled hidden states of one layer, of length 1; the layers above it are not computed.
Shapes: N, M sentences, d hidden size, k neighbours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kernels.packing import Packed
from stilts.encoder import Encoder, Pooling, pool

Vectors = NDArray[np.float32]
_BLOCK_ROWS = 4096


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


def nearest(queries: Vectors, candidates: Vectors) -> NDArray[np.int64]:
    """Row of the candidate most similar to each query [N]; the first of equals."""
    return np.concatenate([block.argmax(1) for _, block in _similarities(queries, candidates)])


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidates:
    """Pairs proposed by mining, best first; each row occurs once on either side."""

    rows: NDArray[np.int64]
    """[P, 2]: a row of the one side, a row of the other."""
    scores: NDArray[np.float32]
    """[P] ratio margins."""


def mine(x: Vectors, y: Vectors, *, neighbours: int = 4) -> Candidates:
    """Pairs by the ratio margin, in both directions, accepted one to one (Artetxe and Schwenk, 2019).

    Args:
        x: [N, d] unit vectors.
        y: [M, d] unit vectors.
        neighbours: size of the neighbourhood a cosine is compared with.
    """
    k = min(neighbours, len(x), len(y))
    x_near, x_cosine = _neighbours(x, y, k)
    y_near, y_cosine = _neighbours(y, x, k)
    x_mean, y_mean = x_cosine.mean(1), y_cosine.mean(1)
    forward = x_cosine / ((x_mean[:, None] + y_mean[x_near]) / 2)
    backward = y_cosine / ((y_mean[:, None] + x_mean[y_near]) / 2)
    rows_x, rows_y = np.arange(len(x)), np.arange(len(y))
    best_x, best_y = forward.argmax(1), backward.argmax(1)
    pairs = np.concatenate(
        [
            np.stack([rows_x, x_near[rows_x, best_x]], 1),
            np.stack([y_near[rows_y, best_y], rows_y], 1),
        ]
    )
    scores = np.concatenate([forward[rows_x, best_x], backward[rows_y, best_y]])
    return _one_to_one(pairs, scores)


def best_threshold(scores: Sequence[float], right: Sequence[bool], gold: int) -> float:
    """The score from which on pairs should be kept for the best F1.

    Args:
        scores: of the candidates, falling.
        right: whether each is a gold pair.
        gold: number of gold pairs.

    Returns:
        The midpoint between the last pair kept and the next one; infinity when nothing is right.
    """
    hits = np.cumsum(np.asarray(right, np.int64))
    if not len(hits) or not hits[-1]:
        return float("inf")
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + gold)
    best = int(f1.argmax())
    following = scores[best + 1] if best + 1 < len(scores) else scores[best]
    return float((scores[best] + following) / 2)


def _similarities(x: Vectors, y: Vectors) -> Iterator[tuple[int, Vectors]]:
    for start in range(0, len(x), _BLOCK_ROWS):
        yield start, x[start : start + _BLOCK_ROWS] @ y.T


def _neighbours(x: Vectors, y: Vectors, k: int) -> tuple[NDArray[np.int64], Vectors]:
    """The k most similar rows of y to each row of x, nearest first, and their cosines."""
    near, cosine = np.empty((len(x), k), np.int64), np.empty((len(x), k), np.float32)
    for start, block in _similarities(x, y):
        top = np.argpartition(-block, k - 1, axis=1)[:, :k]
        values = np.take_along_axis(block, top, 1)
        order = np.argsort(-values, axis=1, kind="stable")
        stop = start + len(block)
        near[start:stop] = np.take_along_axis(top, order, 1)
        cosine[start:stop] = np.take_along_axis(values, order, 1)
    return near, cosine


def _one_to_one(pairs: NDArray[np.int64], scores: Vectors) -> Candidates:
    used_x: set[int] = set()
    used_y: set[int] = set()
    kept = []
    for place in np.argsort(-scores, kind="stable").tolist():
        i, j = pairs[place].tolist()
        if i not in used_x and j not in used_y:
            used_x.add(i)
            used_y.add(j)
            kept.append(place)
    return Candidates(rows=pairs[kept], scores=scores[kept])
