"""Which queries the calls of a process answer: all of them once before one is asked again."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stilts.run.seeds import seed_of

Integers = NDArray[np.int64]


class Sample:
    """The queries of one task.

    A batch keeps its company, so that all of them can be warmed, and every pass over them has another order.
    Every variant of a process asks the same for the same call, so that its blocks pair up; another process
    has other batches.

    Args:
        owners: the example that each row of the set is a part of, by its number; ascending.
        count: examples that may be asked, from the first.
        seed: of the study.
        process: number of this process.
    """

    def __init__(self, owners: NDArray[Any], *, count: int, seed: int, process: int) -> None:
        self._bounds = np.searchsorted(owners, np.arange(min(count, int(owners[-1]) + 1) + 1))
        self._seed = seed, process
        self.batches = cache(self._batches)
        self._order = cache(self._drawn)

    def __len__(self) -> int:
        """Examples that are asked."""
        return len(self._bounds) - 1

    def examples(self, call: int, batch_size: int) -> Integers:
        """Those of a call, counted over all rounds."""
        batches = self.batches(batch_size)
        passes, place = divmod(call, len(batches))
        order: Integers = self._order(len(batches), "order", batch_size, passes)
        return batches[order[place]]

    def rows(self, examples: Integers) -> Integers:
        """Rows of the examples, in order, as often as they come."""
        return np.concatenate([np.arange(*self._bounds[one : one + 2]) for one in examples.tolist()])

    def _batches(self, batch_size: int) -> list[Integers]:
        """All examples, each in one batch; the last batch is filled up with the first ones again."""
        order = self._order(len(self), "queries", batch_size, 0)
        places = np.arange(-(-len(self) // batch_size) * batch_size)
        return list(order[places % len(self)].reshape(-1, batch_size))

    def _drawn(self, count: int, what: str, batch_size: int, number: int) -> Integers:
        return np.random.default_rng(seed_of(*self._seed, what, batch_size, number)).permutation(count)
