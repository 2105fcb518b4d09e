"""The k most similar rows of either side, exactly, out of every similarity there is.

`one_pass` computes each similarity once and lets both sides look at it: half the work of two searches.
`by_faiss` is two plain searches by the library of that name (`pip install 'stilts[faiss]'`). Memory beyond
the vectors and the answers is one block of similarities.

Shapes: N, M rows, d hidden size, k neighbours, r, c rows and columns of a block, t tiles, h hits.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hpc.errors import UserError

Vectors = NDArray[np.float32]
Progress = Callable[[int, int], None]
"""Told how much of the work is done, and how much there is."""

_BLOCK = 4096
"""Rows of either side whose similarities are held at once: 64 MiB."""
_TILE = 64
"""Similarities behind one maximum."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbours:
    """The most similar rows of the other side, nearest first; of equals the first."""

    rows: NDArray[np.int64]
    """[N, k]."""
    cosines: Vectors
    """[N, k]."""


def silent(done: int, total: int) -> None:
    """Tells nobody."""


def one_pass(x: Vectors, y: Vectors, k: int, progress: Progress) -> tuple[Neighbours, Neighbours]:
    """Neighbours of x in y and of y in x, by matrix products of blocks.

    Args:
        x: [N, d].
        y: [M, d].
        k: at most N and M.
        progress: told after each block.
    """
    one, other = torch.from_numpy(x), torch.from_numpy(y)
    best_x, best_y = _Best(len(x), k), _Best(len(y), k)
    buffer = torch.empty(_BLOCK, _BLOCK) if min(len(x), len(y)) >= _BLOCK else torch.empty(0)
    corners = [(i, j) for i in range(0, len(x), _BLOCK) for j in range(0, len(y), _BLOCK)]
    for number, (i, j) in enumerate(corners, start=1):
        block = _similarities(one[i : i + _BLOCK], other[j : j + _BLOCK], buffer)
        # Maxima of tiles, by row and by column; reducing block.T instead would be ten times slower.
        tops_x = torch.unflatten(block, 1, (_TILE, -1)).amax(1)
        tops_y = torch.unflatten(block, 0, (_TILE, -1)).amax(0).T
        best_x.look(block, tops_x, row=i, column=j)
        best_y.look(block.T, tops_y, row=j, column=i)
        progress(number, len(corners))
    return best_x.found(), best_y.found()


def by_faiss(x: Vectors, y: Vectors, k: int, progress: Progress) -> tuple[Neighbours, Neighbours]:
    """As `one_pass`, by a search in each direction; which of equals comes first is left open.

    Raises:
        UserError: faiss is not installed.
    """
    try:
        import faiss
    except ImportError as error:
        raise UserError(
            "mining by faiss needs faiss, which is not installed: pip install 'stilts[faiss]', or search by "
            "'one pass', which needs nothing",
            code=3,
        ) from error
    found, done = [], 0
    for queries, pool in ((x, y), (y, x)):
        parts = []
        for start in range(0, len(queries), _BLOCK):
            part = queries[start : start + _BLOCK]
            parts.append(faiss.knn(part, pool, k, metric=faiss.METRIC_INNER_PRODUCT))
            done += len(part)
            progress(done, len(x) + len(y))
        cosines, rows = (np.concatenate(each) for each in zip(*parts, strict=True))
        found.append(Neighbours(rows=rows, cosines=cosines))
    return found[0], found[1]


Search = Literal["one pass", "faiss"]
SEARCHES: Mapping[Search, Callable[[Vectors, Vectors, int, Progress], tuple[Neighbours, Neighbours]]] = {
    "one pass": one_pass,
    "faiss": by_faiss,
}


def _similarities(x: Tensor, y: Tensor, buffer: Tensor) -> Tensor:
    """Inner products [r, c], each side filled up with -inf to whole tiles."""
    if len(x) == len(y) == len(buffer):
        return torch.mm(x, y.T, out=buffer)
    return torch.nn.functional.pad(x @ y.T, (0, -len(y) % _TILE, 0, -len(x) % _TILE), value=-torch.inf)


class _Best:
    """The k best similarities of each row among those it has seen."""

    def __init__(self, count: int, k: int) -> None:
        self.cosines = torch.full((count, k), -torch.inf)
        self.rows = torch.full((count, k), -1)

    def found(self) -> Neighbours:
        return Neighbours(rows=self.rows.numpy(), cosines=self.cosines.numpy())

    def look(self, block: Tensor, tops: Tensor, *, row: int, column: int) -> None:
        """Takes what is good enough out of a block [r, c] whose corner is (row, column).

        Few similarities are, and `tops` [r, t] tell where: tile t, which is every t-th column, is read only
        where its maximum beats the row's k-th best. A row's columns have to come in rising order.
        """
        k = self.cosines.shape[1]
        tiles = torch.unflatten(block, 1, (_TILE, -1))  # [r, tile, t]
        floor = torch.full((len(block),), torch.inf)
        floor[: len(self.cosines) - row] = self.cosines[row : row + len(block), -1]
        if tops.shape[1] >= k:  # the k-th best maximum is one of the row's similarities too
            sure = tops.topk(k, dim=1).values[:, -1]
            floor = torch.maximum(floor, torch.nextafter(sure, sure.new_tensor(-torch.inf)))
        at, tile = (tops > floor[:, None]).nonzero(as_tuple=True)
        near = tiles[at, :, tile]  # [h, tile]
        hit, step = (near > floor[at, None]).nonzero(as_tuple=True)
        self._merge(at[hit] + row, step * tiles.shape[2] + tile[hit] + column, near[hit, step])

    def _merge(self, rows: Tensor, columns: Tensor, cosines: Tensor) -> None:
        """Puts hits [h] among the best of their rows."""
        order = columns.argsort(stable=True)
        order = order[cosines[order].argsort(stable=True, descending=True)]
        order = order[rows[order].argsort(stable=True)]
        ranked = rows[order]
        changes = (ranked[1:] != ranked[:-1]).nonzero()[:, 0] + 1
        first = torch.cat([changes.new_zeros(min(len(ranked), 1)), changes])
        distinct, counts = ranked[first], torch.diff(first, append=first.new_tensor([len(ranked)]))
        rank = torch.arange(len(order)) - first.repeat_interleave(counts)
        owner = torch.arange(len(distinct)).repeat_interleave(counts)
        k = self.cosines.shape[1]
        kept = rank < k
        place, order = (owner[kept], rank[kept] + k), order[kept]
        both = torch.full((len(distinct), 2 * k), -torch.inf)
        both_columns = torch.full((len(distinct), 2 * k), -1)
        both[:, :k], both_columns[:, :k] = self.cosines[distinct], self.rows[distinct]
        both[place], both_columns[place] = cosines[order], columns[order]
        both, places = both.sort(dim=1, descending=True, stable=True)
        self.cosines[distinct] = both[:, :k]
        self.rows[distinct] = both_columns.gather(1, places)[:, :k]
