"""What a test item adds to a score: the linear form of drawing items again in clusters.

A cluster's effect is how the score would move if the cluster counted a little more. Effects add up over
languages that share clusters and subtract between systems scored on the same items, which is what makes a
difference paired; the sum of their squares is the variance that a bootstrap finds by drawing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def mean_effects(values: Floats, clusters: NDArray[np.int64], num_clusters: int) -> Floats:
    """Effects of clusters on a mean over items: [num_clusters].

    Args:
        values: by item.
        clusters: by item, the number of its cluster.
        num_clusters: clusters there are; those without an item have no effect.
    """
    deviations = values - values.mean()
    return np.bincount(clusters, weights=deviations, minlength=num_clusters) / len(values)


def f1_effects(counts: Floats, clusters: NDArray[np.int64], num_clusters: int) -> Floats:
    """Effects of clusters on the F1 (0-1) of counts [items, 3]: right, predicted, gold."""
    right, predicted, gold = counts.sum(axis=0)
    if predicted + gold == 0:
        return np.zeros(num_clusters)
    f1 = 2 * right / (predicted + gold)
    deviations = 2 * counts[:, 0] - f1 * (counts[:, 1] + counts[:, 2])
    return np.bincount(clusters, weights=deviations, minlength=num_clusters) / (predicted + gold)


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemEffects:
    """One set of items, independent of others: effects [seeds, clusters] on the number estimated."""

    effects: Floats
    step: float
    """By how much one item moves the number: scores of small sets are no finer."""

    @property
    def freedom(self) -> float:
        """Degrees of freedom of its variances."""
        return max(1.0, self.effects.shape[1] - 1.0)

    @property
    def variance_of_mean(self) -> float:
        """Of the mean over seeds, by drawing the same items for all of them."""
        return self._corrected(float(np.square(self.effects.mean(axis=0)).sum()))

    @property
    def mean_variance(self) -> float:
        """Of one seed, as the mean over seeds."""
        return self._corrected(float(np.square(self.effects).sum(axis=1).mean()))

    def _corrected(self, squares: float) -> float:
        clusters = self.effects.shape[1]
        return squares * clusters / max(1, clusters - 1)
