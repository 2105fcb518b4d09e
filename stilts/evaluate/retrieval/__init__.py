"""Sentences as vectors, and pairs found by comparing them: Tatoeba's nearest neighbour, BUCC's mining.

Vectors are mean-pooled hidden states of one layer, of length 1; the layers above it are not computed.
Shapes: N, M sentences, d hidden size, k neighbours.
"""

from stilts.evaluate.retrieval.mining import Candidates, best_threshold, mine
from stilts.evaluate.retrieval.nearest import nearest
from stilts.evaluate.retrieval.neighbours import Search, Vectors
from stilts.evaluate.retrieval.vectors import embed

__all__ = ["Candidates", "Search", "Vectors", "best_threshold", "embed", "mine", "nearest"]
