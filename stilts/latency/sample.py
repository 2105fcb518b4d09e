"""Which queries the calls of a process answer: all of them once before one is asked again."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stilts.run.seeds import seed_of

Integers = NDArray[np.int64]


class Sample:
    """The queries of one task.

    Every variant of a process draws the same ones for the same call, so that its blocks pair up; another
    process has another order.

    Args:
        owners: the example that each row of the set is a part of, by its number; ascending.
        count: examples that may be asked, from the first.
        seed: of the study.
        process: number of this process.
    """

    def __init__(self, owners: NDArray[Any], *, count: int, seed: int, process: int) -> None:
        self._bounds = np.searchsorted(owners, np.arange(min(count, int(owners[-1]) + 1) + 1))
        self._seed = seed, process

    def __len__(self) -> int:
        """Examples that are asked."""
        return len(self._bounds) - 1

    def examples(self, call: int, batch_size: int) -> Integers:
        """Those of a call, counted over all rounds; more than there are come again."""
        places = call * batch_size + np.arange(batch_size)
        orders = {number: self._order(number) for number in np.unique(places // len(self)).tolist()}
        return np.array([orders[place // len(self)][place % len(self)] for place in places.tolist()])

    def rows(self, examples: Integers) -> Integers:
        """Rows of the examples, in order, as often as they come."""
        return np.concatenate([np.arange(*self._bounds[one : one + 2]) for one in examples.tolist()])

    def _order(self, number: int) -> Integers:
        return np.random.default_rng(seed_of(*self._seed, "queries", number)).permutation(len(self))
