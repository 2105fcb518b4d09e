"""Tatoeba: the one most similar sentence, in one direction and without a margin."""

import numpy as np
from numpy.typing import NDArray

from stilts.evaluate.retrieval.neighbours import Vectors

_BLOCK_ROWS = 4096


def nearest(queries: Vectors, candidates: Vectors) -> NDArray[np.int64]:
    """Row of the candidate most similar to each query [N]; the first of equals."""
    starts = range(0, len(queries), _BLOCK_ROWS)
    return np.concatenate(
        [(queries[start : start + _BLOCK_ROWS] @ candidates.T).argmax(1) for start in starts]
    )
