"""Batches that fit into the memory of the device."""

from collections.abc import Callable
from typing import TypeVar

import torch

from hpc.errors import UserError

FIRST_TOKENS = 131_072
"""What a GPU is tried with when the size of batches is found by itself."""
FEWEST_TOKENS = 512
CPU_TOKENS = 4096
"""On a CPU larger batches gain nothing and cost memory."""

T = TypeVar("T")


class BatchSizeFinder:
    """Tokens a batch, halved whenever the device runs out of memory.

    Args:
        asked: tokens of a batch, which are then never changed; None: as many as fit.
        device: where batches go.
        say: takes a line for the person who waits.
    """

    def __init__(self, asked: int | None, *, device: str, say: Callable[[str], None]) -> None:
        self._asked, self._device, self._say = asked, device, say
        self.tokens = asked or (CPU_TOKENS if device == "cpu" else FIRST_TOKENS)

    def run(self, work: Callable[[int], T]) -> T:
        """The result of `work(tokens)` with the most tokens that fit: the longest batches come first in it.

        Raises:
            UserError: the memory does not hold what was asked for, or not even the smallest batch.
        """
        while True:
            try:
                return work(self.tokens)
            except torch.OutOfMemoryError as error:
                if self._asked is not None or self.tokens // 2 < FEWEST_TOKENS:
                    raise UserError(
                        f"{self._device} has no memory for batches of {self.tokens} tokens: ask for smaller "
                        "ones (--batch-size, or tokens_per_batch under [evaluation] of the study)",
                        code=1,
                    ) from error
            self.tokens //= 2
            if self._device != "cpu":
                torch.cuda.empty_cache()
            self._say(f"batches of {self.tokens} tokens from here on: more do not fit into the memory")
