"""BUCC: pairs hidden in two pools, by the ratio margin in both directions (Artetxe and Schwenk, 2019)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hpc.errors import UserError
from stilts.evaluate.retrieval.neighbours import SEARCHES, Neighbours, Progress, Search, Vectors, silent


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidates:
    """Pairs proposed by mining, best first; each row occurs once on either side."""

    rows: NDArray[np.int64]
    """[P, 2]: a row of the one side, a row of the other."""
    scores: NDArray[np.float32]
    """[P] ratio margins, above 0."""


def mine(
    x: Vectors,
    y: Vectors,
    *,
    neighbours: int = 4,
    search: Search = "one pass",
    progress: Progress = silent,
) -> Candidates:
    """Pairs by the ratio margin, in both directions, accepted one to one.

    A pair's margin is its cosine over the mean cosine of the two neighbourhoods. Each sentence proposes the
    one of its neighbours with the largest margin; proposals are accepted from the best one down while both
    sentences are free.

    Args:
        x: [N, d] unit vectors, one a distinct sentence.
        y: [M, d] unit vectors.
        neighbours: size of the neighbourhood a cosine is compared with.
        search: who looks for the neighbours: see `stilts.evaluate.retrieval.neighbours`.
        progress: told how far the search is.

    Raises:
        UserError: a side is empty or holds a vector that is not finite, or the search is not installed.
    """
    x, y = (_checked(side, name) for side, name in ((x, "one"), (y, "other")))
    found_x, found_y = SEARCHES[search](x, y, min(neighbours, len(x), len(y)), progress)
    return _one_to_one(*_proposals(found_x, found_y))


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
    middle = (scores[best] + following) / 2
    return float(middle if middle > following else scores[best])  # nothing lies between neighbouring floats


def _checked(side: Vectors, name: str) -> Vectors:
    if not len(side):
        raise UserError(f"the {name} side of the pool has no sentences: there is nothing to mine", code=3)
    # A row's sum is finite only if all of the row is; unit vectors cannot overflow it.
    bad = np.flatnonzero(~np.isfinite(side.sum(1)))
    if len(bad):
        raise UserError(
            f"{len(bad)} vectors of the {name} side of the pool are not finite, row {bad[0]} first: the "
            "encoder's training diverged, or its dtype is too narrow (try fp32)",
            code=1,
        )
    return np.ascontiguousarray(side, np.float32)


def _proposals(found_x: Neighbours, found_y: Neighbours) -> tuple[NDArray[np.int64], Vectors]:
    """Each sentence's best neighbour by margin: rows [N + M, 2] and margins [N + M]."""
    x_mean, y_mean = found_x.cosines.mean(1), found_y.cosines.mean(1)
    forward = found_x.cosines / ((x_mean[:, None] + y_mean[found_x.rows]) / 2)
    backward = found_y.cosines / ((y_mean[:, None] + x_mean[found_y.rows]) / 2)
    rows_x, rows_y = np.arange(len(x_mean)), np.arange(len(y_mean))
    best_x, best_y = forward.argmax(1), backward.argmax(1)
    pairs = np.concatenate(
        [
            np.stack([rows_x, found_x.rows[rows_x, best_x]], 1),
            np.stack([found_y.rows[rows_y, best_y], rows_y], 1),
        ]
    )
    return pairs, np.concatenate([forward[rows_x, best_x], backward[rows_y, best_y]])


def _one_to_one(pairs: NDArray[np.int64], scores: Vectors) -> Candidates:
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] > 0]  # 0 is the threshold the published scripts begin with
    used_x: set[int] = set()
    used_y: set[int] = set()
    kept = []
    for place, (i, j) in zip(order.tolist(), pairs[order].tolist(), strict=True):
        if i not in used_x and j not in used_y:
            used_x.add(i)
            used_y.add(j)
            kept.append(place)
    return Candidates(rows=pairs[kept], scores=scores[kept])
